/** Requests are validated by TypeBox: wrong types and unknown members are refused, with the fields named. */
import type { FastifySchemaCompiler, FastifyTypeProvider } from 'fastify';
import { Temporal } from 'temporal-polyfill';
import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import type { TLocalizedValidationError } from 'typebox/error';
import { type FieldProblem, invalid, invalidFields } from './problems.js';

export interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

const validators = new WeakMap<TSchema, Validator>();

/** Compiled at the first request that needs it: a start compiles none of hundreds, and all of a process share them. */
export function validatorOf<Schema extends TSchema>(schema: Schema): Compiled<Schema> {
  const known = validators.get(schema) as Compiled<Schema> | undefined;
  if (known !== undefined) return known;
  const validator = Compile(schema);
  validators.set(schema, validator as Validator);
  return validator as Compiled<Schema>;
}

type Compiled<Schema extends TSchema> = ReturnType<typeof Compile<Schema>>;

export const compileValidator: FastifySchemaCompiler<TSchema> =
  ({ schema, httpPart }) =>
  (value: unknown) => {
    const validator = validatorOf(schema);
    // Only strings from queries are converted: in JSON, "5" is not 5.
    const input = httpPart === 'querystring' ? fromTexts(schema, value) : value;
    if (validator.Check(input)) return { value: input };
    return { error: invalidFields(fieldProblems(validator.Errors(input), httpPart ?? 'body', schema)) };
  };

const INTEGER = /^-?(0|[1-9][0-9]*)$/;
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;

/** Reads numbers and booleans in the one form that JSON has for them: `0x10` and `1` for true are refused. */
function fromTexts(schema: TSchema, value: unknown): unknown {
  const { properties = {} } = schema as { readonly properties?: Readonly<Record<string, { type?: string }>> };
  const read = Object.entries(value as Record<string, unknown>).map(([name, text]) => {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return [name, typeof text === 'string' ? fromText(known?.type, text) : text];
  });
  return Object.fromEntries(read);
}

function fromText(type: string | undefined, text: string): unknown {
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (type === 'integer' && INTEGER.test(text)) return Number(text);
  if (type === 'number' && NUMBER.test(text)) return Number(text);
  return text;
}

/** One problem per field: the first one found, without follow-up errors of unions and unknown members. */
export function fieldProblems(
  errors: readonly TLocalizedValidationError[],
  whole: string,
  schema: TSchema,
): FieldProblem[] {
  const found = new Map<string, string>();
  const note = (field: string, problem: string): void => {
    if (!found.has(field)) found.set(field, problem);
  };
  for (const error of errors) {
    const path = error.instancePath.slice(1);
    const inside = (name: string): string => (path === '' ? name : `${path}/${name}`);
    if (error.keyword === 'required')
      for (const name of error.params.requiredProperties) note(inside(name), 'is missing');
    else if (error.keyword === 'additionalProperties')
      for (const name of error.params.additionalProperties)
        note(inside(name), path === '' ? `unknown field${knownIn(schema)}` : 'unknown field');
    else if (error.keyword === 'enum') note(path, `must be one of ${error.params.allowedValues.join(', ')}`);
    else if (error.keyword === 'pattern') note(path, 'has characters that are not allowed here');
    else if (error.keyword !== 'boolean' && error.keyword !== 'anyOf')
      note(path === '' ? whole : path, error.message);
  }
  return [...found].map(([field, problem]) => ({ field, problem }));
}

function knownIn(schema: TSchema): string {
  const known = Object.keys((schema as { properties?: object }).properties ?? {});
  return known.length === 0 ? '; no fields are allowed' : `; known fields: ${known.join(', ')}`;
}

/** An object without unknown members. */
export function members<Properties extends TProperties>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false });
}

/** Control characters, lone surrogates, and marks that change the direction of the text behind them. */
const REFUSED =
  '\\u0000-\\u001F\\u007F-\\u009F\\uD800-\\uDFFF\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069';
/** As ranges, which the pattern means in other languages too. */
const PLAIN = `^[^${REFUSED}]*$`;

/** Text for people. */
export function words(most: number, least = 0) {
  return Type.String({ minLength: least, maxLength: most, pattern: PLAIN });
}

export const Id = Type.String({ minLength: 1, maxLength: 256, pattern: PLAIN });
export const Name = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9._-]*$' });
export const Email = Type.String({
  maxLength: 254,
  pattern: `^([^\\s@<>",;${REFUSED}]+@[^\\s@<>",;${REFUSED}]+)?$`,
});
export const Title = words(128);
export const Reason = Type.Optional(words(500));

/** When a token or key ends; null or absent: never. */
export const ExpiresAt = Type.Optional(Type.Union([Type.String({ maxLength: 40 }), Type.Null()]));

const INSTANT_MAX_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** In ms, 0 for never. */
export function expiryIn(stated: string | null | undefined): number {
  return stated === undefined || stated === null ? 0 : instantIn(stated, 'expiresAt');
}

/** In ms. */
export function instantIn(stated: string, field: string): number {
  try {
    const ms = Temporal.Instant.from(stated).epochMilliseconds;
    if (ms > 0 && ms <= INSTANT_MAX_MS) return ms;
  } catch {
    // Not an instant.
  }
  throw invalid(field, 'must be an instant such as 2027-01-31T12:00:00Z');
}

export const DryRun = { dryRun: Type.Optional(Type.Boolean()) };

export const PAGE_SIZE_MAX = 500;

/** The query of every list. */
export const Paging = {
  cursor: Type.Optional(Type.String({ maxLength: 4_096 })),
  pageSize: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_SIZE_MAX })),
  sort: Type.Optional(Type.String({ maxLength: 100 })),
};

export const Search = { q: Type.Optional(words(256)) };

/** Path parameters may be any string: the resource they name is found or not. */
export function path<const Names extends string>(...names: Names[]) {
  const properties = Object.fromEntries(names.map((name) => [name, Type.String()]));
  return Type.Object(properties as Record<Names, ReturnType<typeof Type.String>>);
}
