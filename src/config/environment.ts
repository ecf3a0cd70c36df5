/**
 * Environment variables override the file. The variable of a setting is `QUOTAGATE_` and its path: upper case, with
 * underscores between levels, words and signs. `/store/deadlineMs` is QUOTAGATE_STORE_DEADLINE_MS;
 * `/upstreams/maps/url` is QUOTAGATE_UPSTREAMS_MAPS_URL if the file has an upstream `maps`. Settings inside a list of
 * maps have no variable. A list of single values is separated by commas.
 */
import {
  IsArray,
  IsBoolean,
  IsInteger,
  IsNumber,
  IsObject,
  IsRecord,
  IsString,
  IsUnion,
  RecordValue,
  type TSchema,
} from 'typebox';
import { type Mistake, type Path, pointerOf, suggestion } from './issues.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Overlay {
  readonly data: unknown;
  /** The variable that set the value at a JSON pointer. */
  readonly sources: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
}

const PREFIX = 'QUOTAGATE_';

// Kubernetes sets these in every pod of a namespace that has a Service named quotagate….
const SERVICE_LINK =
  /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;

export function overlay(schema: TSchema, data: unknown, environment: Environment): Overlay {
  const given = Object.entries(environment).filter((entry): entry is [string, string] => isOurs(...entry));
  if (given.length === 0) return { data, sources: new Map(), mistakes: [] };
  const known = new Map<string, Setting[]>();
  for (const setting of settingsOf(schema, data, [])) {
    const variable = variableOf(setting.path);
    known.set(variable, [...(known.get(variable) ?? []), setting]);
  }
  const sources = new Map<string, string>();
  const mistakes: Mistake[] = [];
  let result = data;
  for (const [variable, text] of given) {
    const [setting, twin] = known.get(variable) ?? [];
    if (setting === undefined) mistakes.push(unknown(variable, [...known.keys()]));
    else if (twin !== undefined) mistakes.push(ambiguous(variable, setting.path, twin.path));
    else {
      result = setAt(result, setting.path, valueFrom(setting.schema, text));
      sources.set(pointerOf(setting.path), variable);
    }
  }
  return { data: result, sources, mistakes };
}

function isOurs(variable: string, text: string | undefined): boolean {
  if (text === undefined || !variable.startsWith(PREFIX)) return false;
  const link =
    SERVICE_LINK.test(variable) || (variable.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text));
  return !link;
}

function unknown(variable: string, known: readonly string[]): Mistake {
  const hint = suggestion(variable, known, 'remove it, or see the table of settings');
  return { path: '', line: 0, column: 0, message: 'this variable belongs to no setting', hint, variable };
}

function ambiguous(variable: string, one: Path, other: Path): Mistake {
  const message = `it names two settings, ${pointerOf(one)} and ${pointerOf(other)}`;
  return { path: pointerOf(one), line: 0, column: 0, message, hint: 'set them in the file', variable };
}

interface Setting {
  readonly path: Path;
  readonly schema: TSchema;
}

/** Every setting that a variable can set, given the keys in the data. */
function* settingsOf(schema: TSchema, data: unknown, path: Path): Generator<Setting> {
  if (IsUnion(schema) && schema.anyOf.some(IsObject)) {
    const seen = new Set<string>();
    for (const branch of schema.anyOf) {
      for (const setting of settingsOf(branch, data, path)) {
        if (!seen.has(pointerOf(setting.path))) yield setting;
        seen.add(pointerOf(setting.path));
      }
    }
  } else if (IsObject(schema)) {
    for (const [key, property] of Object.entries(schema.properties))
      yield* settingsOf(property, memberOf(data, key), [...path, key]);
  } else if (IsRecord(schema)) {
    const keys = typeof data === 'object' && data !== null ? Object.keys(data) : [];
    for (const key of keys) yield* settingsOf(RecordValue(schema), memberOf(data, key), [...path, key]);
  } else if (!IsArray(schema) || !hasMaps(schema.items)) yield { path, schema };
}

function hasMaps(schema: TSchema): boolean {
  return IsObject(schema) || (IsUnion(schema) && schema.anyOf.some(hasMaps));
}

function memberOf(data: unknown, key: string): unknown {
  return isMap(data) && Object.hasOwn(data, key) ? data[key] : undefined;
}

function isMap(data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null && !Array.isArray(data);
}

/** The variable of a setting. */
export function variableOf(path: Path): string {
  const words = path.map((key) => String(key).replace(/([a-z0-9])([A-Z])/g, '$1_$2'));
  return (
    PREFIX +
    words
      .join('_')
      .replace(/[^A-Za-z0-9]/g, '_')
      .toUpperCase()
  );
}

function valueFrom(schema: TSchema, text: string): unknown {
  if (IsArray(schema)) {
    const { items } = schema;
    return text === '' ? [] : text.split(',').map((item) => valueFrom(items, item.trim()));
  }
  const accepts = (is: (branch: TSchema) => boolean) =>
    is(schema) || (IsUnion(schema) && schema.anyOf.some((branch) => is(branch)));
  if (accepts(IsString)) return text;
  if (accepts(IsBoolean)) return text === 'true' || (text === 'false' ? false : text);
  const numeric = accepts((branch) => IsInteger(branch) || IsNumber(branch));
  return numeric && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Copies, because aliases share one map between several places. */
function setAt(data: unknown, path: Path, value: unknown): unknown {
  const [key, ...below] = path;
  if (key === undefined) return value;
  if (data !== undefined && data !== null && !isMap(data)) return data;
  return { ...data, [key]: setAt(memberOf(data, String(key)), below, value) };
}
