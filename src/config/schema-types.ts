/**
 * The building blocks of the schema: TypeBox types that also carry the prose for error messages and the table of settings.
 * TypeBox keeps unknown keywords, so the prose lives inside the one schema.
 */
import Type, { type Static, type TProperties, type TSchema } from 'typebox';
import { isName, USER_BYTES_MAX, userKeyOf } from '../quota/id.js';
import { isPlainPath, parseMatch } from './match.js';
import {
  isAmount,
  isClaimPlace,
  isEmail,
  isFieldValue,
  isHeaderName,
  isHost,
  isJsonPointer,
  isOrigin,
  isPassHeader,
  isPeer,
  isPercent,
  isPositiveAmount,
  isRedisUrl,
  isServerAddress,
  isSetHeader,
  isVariable,
  isWebUrl,
  OFF,
  PERCENT_DECIMALS,
  parseAddress,
  parseStatuses,
} from './values.js';

/** Keywords of our schemas beyond those of JSON Schema. */
export interface Prose {
  readonly description?: string;
  readonly default?: unknown;
  /** What to write, as the end of the sentence “write …”. */
  readonly expects?: string;
  /** The value may hold a password, so messages never show it. */
  readonly secret?: boolean;
  /** The name that the setting had before: an error then names the new one. */
  readonly replaces?: string;
  /** For a map: the schema of its keys, and the name of a key in the table of settings. */
  readonly keys?: TSchema;
  readonly keyName?: string;
}

/** A value that `check` validates; `noun` names what it should be. */
function checked<T extends TSchema>(type: T, noun: string, check: (value: Static<T>) => boolean) {
  return Type.Refine(type, check, () => `is not ${noun}`);
}

/** A map with fixed keys: any other key is an error. */
export function section<P extends TProperties>(properties: P, prose: Prose = {}) {
  return Type.Object(properties, { additionalProperties: false, ...prose });
}

type MapProse = Prose & Required<Pick<Prose, 'keyName' | 'keys'>>;

/** A map whose keys the operator chooses. */
export function mapOf<T extends TSchema>(value: T, prose: MapProse) {
  return Type.Record(Type.String(), value, { ...prose });
}

export function whole(minimum: number, maximum: number, prose: Prose) {
  return Type.Integer({
    minimum,
    maximum,
    expects: `a whole number from ${minimum} to ${maximum}`,
    ...prose,
  });
}

export function decimalNumber(minimum: number, maximum: number, prose: Prose) {
  return Type.Number({ minimum, maximum, expects: `a number from ${minimum} to ${maximum}`, ...prose });
}

export function oneOf<const T extends readonly string[]>(values: T, prose: Prose) {
  return Type.Enum<[...T]>([...values], { expects: `one of ${values.join(', ')}`, ...prose });
}

export function flag(prose: Prose) {
  return Type.Boolean({ expects: 'true or false', ...prose });
}

export function words(prose: Prose) {
  return Type.String({ minLength: 1, maxLength: 200, expects: '1 to 200 characters', ...prose });
}

export function file(prose: Prose) {
  return Type.String({ minLength: 1, expects: 'the path of a file', ...prose });
}

function text(noun: string, expects: string, check: (value: string) => boolean) {
  return (prose: Prose) => checked(Type.String({ expects, ...prose }), noun, check);
}

export const name = text('a valid name', '1 to 64 letters, digits, dots, underscores or dashes', isName);

/** All orgs, or those that are listed. */
export const orgList = (prose: Prose) =>
  checked(
    Type.Union([Type.Literal('all'), Type.Array(Type.String())], {
      expects: 'all, or a list of orgs',
      ...prose,
    }),
    'a list of org ids',
    (orgs) => orgs === 'all' || (orgs.length > 0 && orgs.every(isName)),
  );

export const userId = text(
  'a valid user id',
  `1 to ${USER_BYTES_MAX} bytes of text`,
  (id) => userKeyOf(id) !== undefined,
);

export const address = text(
  'an address to listen on',
  'host:port, such as 0.0.0.0:8080 or [::1]:8080',
  (value) => parseAddress(value) !== undefined,
);

export const addressOrOff = text(
  'an address to listen on, or off',
  'host:port, such as 127.0.0.1:9080 or [::1]:9080, or off',
  (value) => value === OFF || parseAddress(value) !== undefined,
);

export const serverAddress = text(
  'the address of a server',
  'host:port, such as redis-0:26379 or [::1]:26379',
  isServerAddress,
);

export const host = text('a host', 'a host name or an address, such as smtp.example.com', isHost);

export const header = text(
  'a header name that can be used here',
  'a header name in lower case, without underscores, that HTTP itself does not use',
  isHeaderName,
);

export const setHeader = text(
  'a header that can be set',
  'a header name in lower case, without underscores, that neither HTTP nor the gateway writes itself',
  isSetHeader,
);

export const passHeader = text(
  'a header that is dropped by default',
  'the lower-case name of a request header that is dropped by default, such as x_custom or script-name',
  isPassHeader,
);

export const fieldValue = text('the value of a header', 'a text without line ends', isFieldValue);

export const claim = text(
  'the place of a claim',
  'the name of a claim, or a JSON pointer to one inside another, such as /realm_access/roles',
  isClaimPlace,
);

export const variable = text(
  'the name of an environment variable',
  'the name of an environment variable',
  isVariable,
);

export const webUrl = text('a web address', 'https://host/path', isWebUrl);

export const email = text('an e-mail address', 'an address such as ana@example.com', isEmail);

export const pointer = text(
  'a JSON pointer',
  'a JSON pointer, such as /addresses or /options/count',
  isJsonPointer,
);

export const peer = text(
  'an IP address or a range of them',
  'an address or a range in CIDR form, such as 10.0.0.0/8 or ::1',
  isPeer,
);

export const origin = text(
  'the origin of an upstream',
  'scheme, host and port only, such as http://maps:3000, or unix:///run/maps.sock',
  isOrigin,
);

export const redisUrl = text(
  'a Redis URL',
  'redis://host:port, rediss://host:port or unix:///path',
  isRedisUrl,
);

export const match = text(
  'a method and a path that can be matched',
  'METHOD /path, such as GET /v3/maps/*',
  (value) => parseMatch(value) !== undefined,
);

export const plainPath = text('a plain path', 'a path of plain segments, such as /quota/me', isPlainPath);

function decimal(noun: string, expects: string, check: (value: number | string) => boolean) {
  return (prose: Prose) =>
    checked(Type.Union([Type.Number(), Type.String()], { expects, ...prose }), noun, check);
}

export const amount = decimal(
  'an amount of units',
  'a decimal number ≥ 0, with no more decimals than the quota has',
  isAmount,
);

export const positiveAmount = decimal(
  'an amount above zero',
  'a decimal number > 0, with no more decimals than the quota has',
  isPositiveAmount,
);

export const percent = decimal(
  'a percent of the pool',
  `a decimal number > 0 and ≤ 100, at most ${PERCENT_DECIMALS} decimals`,
  isPercent,
);

export const statuses = (prose: Prose) =>
  checked(
    Type.Union([Type.Integer(), Type.String()], {
      expects: 'a status such as 404, or a range such as 200-299',
      ...prose,
    }),
    'a status or a range of statuses',
    (value) => parseStatuses(value) !== undefined,
  );
