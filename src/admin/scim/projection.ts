/** Which attributes an answer has: `attributes` and `excludedAttributes` (RFC 7644, section 3.9). */
import { ATTRIBUTES, attributeIn, type Kind, withoutUrn } from './attributes.js';
import { badRequest } from './errors.js';

export interface Selection {
  readonly attributes?: string | readonly string[] | undefined;
  readonly excludedAttributes?: string | readonly string[] | undefined;
}

export interface Projection {
  readonly has: (attribute: string) => boolean;
  readonly apply: (resource: Resource) => Resource;
}

export type Resource = Readonly<Record<string, unknown>>;

export function projectionOf(kind: Kind, { attributes, excludedAttributes }: Selection): Projection {
  const [only, without] = [listed(kind, attributes), listed(kind, excludedAttributes)];
  if (only.length > 0 && without.length > 0)
    throw badRequest('invalidValue', 'state attributes or excludedAttributes, not both');
  if (only.length === 0 && without.length === 0) return { has: () => true, apply: (resource) => resource };
  const always = ATTRIBUTES[kind].filter(({ returned }) => returned === 'always').map(({ name }) => name);
  const kept = only.length > 0 ? [...only, ...always.map((name) => [name.toLowerCase()])] : undefined;
  const dropped = without.filter(([name = '']) => attributeIn(ATTRIBUTES[kind], name)?.returned !== 'always');
  const has = (name: string): boolean => {
    const sought = name.toLowerCase();
    if (kept !== undefined) return kept.some(([first]) => first === sought);
    return !dropped.some(([first, sub]) => first === sought && sub === undefined);
  };
  const part = (name: string, sub: string): boolean => {
    const is = ([first, second]: readonly string[]): boolean =>
      first === name.toLowerCase() && (second === undefined || second === sub.toLowerCase());
    return kept === undefined ? !dropped.some(is) : kept.some(is);
  };
  const apply = (resource: Resource): Resource =>
    Object.fromEntries(
      Object.entries(resource)
        .filter(([name]) => has(name))
        .map(([name, value]) => [name, selected(value, (sub) => part(name, sub))]),
    );
  return { has, apply };
}

/** Each path as its one or two names, in lower case. */
function listed(kind: Kind, stated: Selection['attributes']): string[][] {
  if (stated === undefined) return [];
  const paths = typeof stated === 'string' ? stated.split(',') : stated;
  return paths
    .map((path) => withoutUrn(kind, path.trim()).toLowerCase())
    .filter((path) => path !== '')
    .map((path) => path.split('.'));
}

function selected(value: unknown, has: (sub: string) => boolean): unknown {
  if (Array.isArray(value)) return value.map((one) => selected(one, has));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => has(name)));
}
