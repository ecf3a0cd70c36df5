/**
 * Validates data against the schema, fills in defaults and reports every invalid value. TypeBox validates single values;
 * the recursion through maps, lists and alternatives is our own, because TypeBox fills no defaults inside maps with free keys,
 * and reports all alternatives of a union instead of the intended one.
 */
import {
  IsArray,
  IsEnum,
  IsInteger,
  IsLiteral,
  IsNumber,
  IsObject,
  IsOptional,
  IsRecord,
  IsString,
  IsUnion,
  RecordValue,
  type TArray,
  type TObject,
  type TRecord,
  type TSchema,
  type TUnion,
} from 'typebox';
import Value from 'typebox/value';
import { closest, type Issue, issue, keyIssue, type Path, suggestion } from './issues.js';
import type { Prose } from './schema-types.js';

export interface ValidationResult {
  /** The data with all defaults; invalid values are `undefined`, so that the cross-checks can use the rest. */
  readonly draft: unknown;
  readonly issues: readonly Issue[];
  readonly slips: readonly Slip[];
}

/** A misspelled key that is read as the likely intended one, so that the errors below it are reported too. */
export interface Slip {
  /** The path in the draft. */
  readonly path: Path;
  readonly written: string;
}

export function validate(schema: TSchema, data: unknown): ValidationResult {
  const issues: Issue[] = [];
  const slips: Slip[] = [];
  const draft = read({ issues, slips, alternatives: [] }, schema, { value: data ?? null, path: [] });
  return { draft, issues, slips };
}

interface Reading {
  readonly issues: Issue[];
  readonly slips: Slip[];
  /** The alternatives that were not chosen for this section. */
  readonly alternatives: readonly TObject[];
}

/** A value of the config, and where it is. */
interface Place {
  readonly value: unknown;
  readonly path: Path;
}

type Data = Record<string, unknown>;

const proseOf = (schema: TSchema): Prose => schema as Prose;

function read(reading: Reading, schema: TSchema, place: Place): unknown {
  if (IsUnion(schema) && schema.anyOf.some(IsObject)) return readUnion(reading, schema, place);
  if (IsObject(schema)) return readSection(reading, schema, place);
  if (IsRecord(schema)) return readMap(reading, schema, place);
  if (IsArray(schema)) return readList(reading, schema, place);
  return readLeaf(reading, { schema }, place);
}

function isMap(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// A section whose lines are all commented out parses as null: it is empty, not invalid.
function mapOrEmpty(value: unknown): Data | undefined {
  if (value === null) return {};
  return isMap(value) ? value : undefined;
}

function readSection(reading: Reading, schema: TObject, { value, path }: Place): Data | undefined {
  const known = Object.keys(schema.properties);
  const data = mapOrEmpty(value);
  if (data === undefined) {
    reading.issues.push(issue(path, `${shown(value)} is not a map`, `write a map of ${known.join(', ')}`));
    return undefined;
  }
  const meant = new Map<string, unknown>();
  for (const key of Object.keys(data)) {
    if (Object.hasOwn(schema.properties, key)) continue;
    const fault = unknownKey(reading, schema, { data, path, key });
    reading.issues.push(fault);
    if (fault.meant === undefined || Object.hasOwn(data, fault.meant) || meant.has(fault.meant)) continue;
    meant.set(fault.meant, data[key]);
    reading.slips.push({ path: [...path, fault.meant], written: key });
  }
  const result: Data = {};
  for (const [key, property] of Object.entries(schema.properties)) {
    const stated = meant.has(key) ? meant.get(key) : data[key];
    const given = stated === undefined ? proseOf(property).default : stated;
    if (given !== undefined)
      result[key] = read({ ...reading, alternatives: [] }, property, { value: given, path: [...path, key] });
    else if (!IsOptional(property)) reading.issues.push(missing(property, [...path, key]));
  }
  return result;
}

function missing(schema: TSchema, path: Path): Issue {
  const key = path.at(-1);
  return issue(path, `\`${key}\` is missing`, `add \`${key}\`: ${proseOf(schema).expects ?? 'a map'}`);
}

function unknownKey(
  reading: Reading,
  schema: TObject,
  { data, path, key }: { readonly data: Data; readonly path: Path; readonly key: string },
): Issue & { readonly meant?: string | undefined } {
  const sibling = reading.alternatives.find((other) => Object.hasOwn(other.properties, key));
  const rival = Object.keys(data).find(
    (other) =>
      Object.hasOwn(schema.properties, other) && sibling && !Object.hasOwn(sibling.properties, other),
  );
  if (rival !== undefined) {
    return keyIssue([...path, key], `\`${key}\` cannot be combined with \`${rival}\``, 'keep one of the two');
  }
  const known = Object.keys(schema.properties);
  const successor = known.find((other) => proseOf(schema.properties[other] as TSchema).replaces === key);
  if (successor !== undefined) {
    const { expects } = proseOf(schema.properties[successor] as TSchema);
    return keyIssue(
      [...path, key],
      `\`${key}\` has been replaced by \`${successor}\``,
      `write \`${successor}\`: ${expects ?? 'a map'}`,
    );
  }
  const hint = suggestion(key, known, `remove it; known here: ${known.join(', ')}`);
  const fault = keyIssue([...path, key], `\`${key}\` is not a setting`, hint);
  return { ...fault, meant: closest(key, known) };
}

function readMap(reading: Reading, schema: TRecord, { value, path }: Place): Data | undefined {
  const data = mapOrEmpty(value);
  const { keys, keyName = 'key' } = proseOf(schema);
  if (data === undefined) {
    reading.issues.push(
      issue(path, `${shown(value)} is not a map`, `write a map with one key per ${keyName}`),
    );
    return undefined;
  }
  const entries = Object.entries(data).map(([key, item]) => {
    const fault = keys === undefined ? undefined : faultOf(keys, key);
    if (fault !== undefined) reading.issues.push(keyIssue([...path, key], fault.message, fault.hint));
    return [key, read(reading, RecordValue(schema), { value: item, path: [...path, key] })];
  });
  return Object.fromEntries(entries);
}

function readList(reading: Reading, schema: TArray, { value, path }: Place): unknown[] | undefined {
  const fault = faultOf({ ...schema, items: {} }, value);
  if (fault !== undefined) reading.issues.push(issue(path, fault.message, fault.hint));
  if (!Array.isArray(value)) return undefined;
  return value.map((item, index) => read(reading, schema.items, { value: item, path: [...path, index] }));
}

interface Leaf {
  readonly schema: TSchema;
  readonly expects?: string | undefined;
}

function readLeaf(reading: Reading, { schema, expects }: Leaf, { value, path }: Place): unknown {
  const fault = faultOf(schema, value, expects);
  if (fault === undefined) return value;
  reading.issues.push(issue(path, fault.message, fault.hint));
  return undefined;
}

/** Validates against the alternative that was most likely intended. */
function readUnion(reading: Reading, schema: TUnion, place: Place): unknown {
  const { value, path } = place;
  const sections = schema.anyOf.filter(IsObject);
  const leaf = schema.anyOf.find((branch) => !IsObject(branch));
  if (leaf !== undefined && !isMap(value)) {
    return readLeaf(reading, { schema: leaf, expects: proseOf(schema).expects }, place);
  }
  const { expects, secret } = proseOf(schema);
  if (leaf === undefined && expects !== undefined && mapOrEmpty(value) === undefined) {
    const what = secret ? 'the value' : shown(value);
    reading.issues.push(issue(path, `${what} is not a map`, `write ${expects}`));
    return undefined;
  }
  const data = mapOrEmpty(value) ?? {};
  const mark = markOf(sections, data);
  if (mark !== undefined && isMap(value)) {
    if (mark.fault) reading.issues.push(issue([...path, mark.key], mark.fault.message, mark.fault.hint));
    return readSection(reading, mark.section, { value: { ...data, [mark.key]: mark.value }, path });
  }
  const chosen = mark?.section ?? mostAlike(sections, data);
  if (leaf !== undefined && likeness(chosen, data) === 0) {
    const fault = { message: 'is a map without a known key', hint: `write ${proseOf(schema).expects}` };
    reading.issues.push(issue(path, fault.message, fault.hint));
    return undefined;
  }
  const alternatives = sections.filter((other) => other !== chosen);
  return readSection({ ...reading, alternatives }, chosen, place);
}

interface Mark {
  readonly key: string;
  readonly value: unknown;
  readonly section: TObject;
  readonly fault?: Fault;
}

/** The alternative that the data selects by a discriminating key: one that each alternative has with its own value. */
function markOf(sections: readonly TObject[], data: Data): Mark | undefined {
  const [first] = sections;
  const key = Object.keys(first?.properties ?? {}).find((k) =>
    sections.every((s) => valueOfMark(s, k) !== undefined),
  );
  if (key === undefined || first === undefined) return undefined;
  const values = sections.map((section) => String(valueOfMark(section, key)));
  const given = Object.hasOwn(data, key) ? data[key] : valueOfMark(first, key);
  const named = sections[values.indexOf(String(given))];
  if (named !== undefined) return { key, value: given, section: named };
  const fault = {
    message: `${shown(given)} is none of ${values.join(', ')}`,
    hint: suggestion(String(given), values, `write one of ${values.join(', ')}`),
  };
  const meant = sections[values.indexOf(closest(String(given), values) ?? '')] ?? first;
  return { key, value: valueOfMark(meant, key), section: meant, fault };
}

function valueOfMark(section: TObject, key: string): unknown {
  const property = section.properties[key];
  return property !== undefined && IsEnum(property) && property.enum.length === 1
    ? property.enum[0]
    : undefined;
}

function mostAlike(sections: readonly TObject[], data: Data): TObject {
  return sections.reduce((best, next) => (likeness(next, data) > likeness(best, data) ? next : best));
}

/** Counts known keys; a key whose nested keys do not fit counts less. */
function likeness(section: TObject, data: Data): number {
  let alike = 0;
  for (const [key, value] of Object.entries(data)) {
    const property = Object.hasOwn(section.properties, key) ? section.properties[key] : undefined;
    if (property !== undefined) alike += isMap(value) && !fitsBelow(property, value) ? 0.9 : 1;
  }
  return alike;
}

function fitsBelow(property: TSchema, value: Data): boolean {
  const sections = IsUnion(property) ? property.anyOf.filter(IsObject) : [property].filter(IsObject);
  if (sections.length === 0) return true;
  return sections.some((section) => Object.keys(value).some((key) => Object.hasOwn(section.properties, key)));
}

interface Fault {
  readonly message: string;
  readonly hint: string;
}

function faultOf(schema: TSchema, value: unknown, expects = proseOf(schema).expects): Fault | undefined {
  const [error] = Value.Errors(schema, value);
  if (error === undefined) return undefined;
  const hint = `write ${expects}`;
  const what = proseOf(schema).secret ? 'the value' : shown(value);
  if (value === null) return { message: 'has no value', hint };
  if (error.keyword === '~refine') return { message: `${what} ${error.message}`, hint };
  if (error.keyword === 'uniqueItems') return { message: 'contains duplicates', hint };
  if (IsEnum(schema)) {
    const values = schema.enum.map(String);
    return {
      message: `${what} is none of ${values.join(', ')}`,
      hint: suggestion(String(value), values, hint),
    };
  }
  if (error.keyword === 'const') return { message: `${what} is not ${expects}`, hint };
  if (error.keyword !== 'type') return { message: `${what} is out of bounds`, hint };
  const quoted = IsString(schema) && (typeof value === 'number' || typeof value === 'boolean');
  return {
    message: `${what} is not ${kindOf(schema)}`,
    hint: quoted ? 'put it in quotes' : hint,
  };
}

function kindOf(schema: TSchema): string {
  if (IsString(schema) || IsLiteral(schema)) return 'text';
  if (IsInteger(schema)) return 'a whole number';
  if (IsNumber(schema)) return 'a number';
  if (IsUnion(schema)) return schema.anyOf.map(kindOf).join(' or ');
  return 'items' in schema ? 'a list' : 'true or false';
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null) return 'nothing';
  if (typeof value === 'object') return 'a map';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
