/**
 * Filters (RFC 7644, section 3.4.2.2). The library parses and evaluates; it compares values by case, so attributes that
 * are not case-exact are compared in lower case, in the filter and in the resource.
 */
import { type Filter, parse, filter as testOf } from 'scim2-parse-filter';
import { ATTRIBUTES, type Attribute, attributeIn, type Kind, withoutUrn } from './attributes.js';
import { badRequest } from './errors.js';

const FILTER_LENGTH_MAX = 4_096;

type Value = Extract<Filter, { compValue: unknown }>['compValue'];

export interface ScimFilter {
  readonly matches: (resource: object) => boolean;
  /** What every match has: an attribute with this exact value, which an index may find. */
  readonly equal: (attribute: string) => string | undefined;
  /** Whether the filter looks at an attribute. */
  readonly names: (attribute: string) => boolean;
}

export function filterOf(kind: Kind, text: string): ScimFilter {
  const attributes = ATTRIBUTES[kind];
  const parsed = parsedFilter(text, kind);
  const test = testOf(folded(parsed, attributes));
  return {
    matches: (resource) => test(foldedResource(resource, attributes)),
    equal: (name) => equalIn(parsed, name.toLowerCase()),
    names: (name) => pathsOf(parsed).some((path) => path.toLowerCase().split('.')[0] === name.toLowerCase()),
  };
}

/** Paths without the URN, and every attribute known. */
export function parsedFilter(text: string, kind: Kind): Filter {
  if (text.length > FILTER_LENGTH_MAX)
    throw badRequest('invalidFilter', `the filter has more than ${FILTER_LENGTH_MAX} characters`);
  try {
    return withoutUrns(parse(text), kind);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw badRequest('invalidFilter', `the filter could not be read: ${detail}`);
  }
}

function withoutUrns(filter: Filter, kind: Kind): Filter {
  if ('filters' in filter) return { ...filter, filters: filter.filters.map((one) => withoutUrns(one, kind)) };
  if ('filter' in filter) return { ...filter, filter: withoutUrns(filter.filter, kind) };
  return { ...filter, attrPath: withoutUrn(kind, filter.attrPath) };
}

function pathsOf(filter: Filter): string[] {
  if ('filters' in filter) return filter.filters.flatMap(pathsOf);
  if ('filter' in filter) return pathsOf(filter.filter);
  return [filter.attrPath];
}

function equalIn(filter: Filter, name: string): string | undefined {
  if (filter.op === 'and' && 'filters' in filter)
    return filter.filters.map((one) => equalIn(one, name)).find((value) => value !== undefined);
  if (filter.op !== 'eq' || !('compValue' in filter)) return undefined;
  const { attrPath, compValue } = filter;
  return attrPath.toLowerCase() === name && typeof compValue === 'string' ? compValue : undefined;
}

/** In lower case where case does not count; booleans for the texts that clients send in place of them. */
export function folded(filter: Filter, attributes: readonly Attribute[]): Filter {
  if ('filters' in filter)
    return { ...filter, filters: filter.filters.map((one) => folded(one, attributes)) };
  if ('filter' in filter) return { ...filter, filter: folded(filter.filter, attributes) };
  const { attribute, parent } = attributeAt(filter.attrPath, attributes);
  if ('valFilter' in filter)
    return { ...filter, valFilter: folded(filter.valFilter, attribute.subAttributes ?? []) };
  if (!('compValue' in filter)) return filter;
  const { attribute: compared, path } = comparedBy(attribute, filter.attrPath, parent);
  return { ...filter, attrPath: path, compValue: foldedValue(filter.compValue, compared) };
}

function attributeAt(path: string, attributes: readonly Attribute[]) {
  const [name = '', ...subs] = path.split('.');
  const parent = attributeIn(attributes, name);
  const attribute = subs.reduce<Attribute | undefined>(
    (one, sub) => attributeIn(one?.subAttributes ?? [], sub),
    parent,
  );
  if (attribute === undefined || parent === undefined)
    throw badRequest('invalidFilter', `the attribute ${path} is unknown`);
  return { attribute, parent };
}

/** `members eq "x"` compares the values of the members. */
function comparedBy(attribute: Attribute, path: string, parent: Attribute) {
  const value = attribute === parent ? attributeIn(attribute.subAttributes ?? [], 'value') : undefined;
  return value === undefined ? { attribute, path } : { attribute: value, path: `${path}.value` };
}

function foldedValue(value: Value, { type, caseExact }: Attribute): Value {
  if (typeof value !== 'string') return value;
  if (type === 'boolean') return booleanOf(value) ?? value;
  return caseExact ? value : value.toLowerCase();
}

/** Some clients send booleans as text. */
export function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const text = value.toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

function foldedResource(resource: object, attributes: readonly Attribute[]): object {
  return Object.fromEntries(
    Object.entries(resource).map(([name, value]) => {
      const attribute = attributeIn(attributes, name);
      return [name, attribute === undefined ? value : foldedPart(value, attribute)];
    }),
  );
}

function foldedPart(value: unknown, attribute: Attribute): unknown {
  if (Array.isArray(value)) return value.map((one) => foldedPart(one, attribute));
  if (typeof value === 'string') return attribute.caseExact ? value : value.toLowerCase();
  if (typeof value === 'object' && value !== null)
    return foldedResource(value, attribute.subAttributes ?? []);
  return value;
}
