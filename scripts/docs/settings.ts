/** `docs/reference/settings.md`, generated from the schema. */
import {
  IsArray,
  IsBoolean,
  IsEnum,
  IsInteger,
  IsLiteral,
  IsObject,
  IsOptional,
  IsRecord,
  IsUnion,
  RecordValue,
  type TSchema,
} from 'typebox';
import { ConfigSchema } from '../../src/config/schema.js';
import type { Prose } from '../../src/config/schema-types.js';
import { markdownTable } from './table.js';

interface SettingRow {
  readonly setting: string;
  readonly type: string;
  readonly fallback: string;
  readonly allowed: string;
  readonly meaning: string;
}

const WORD = 'word';
const REQUIRED = 'required';
const COLUMNS = ['setting', 'type', 'default', 'allowed', 'meaning'];

const HEAD = `# Settings

Generated from \`src/config/schema.ts\` by \`npm run docs\`. The guide: [configuration](../configuration.md).

\`[]\` stands for each item of a list, \`<name>\` for a key of your choice. Default \`left out\`: the setting is optional. \`by choice\`:
required, unless one of its alternatives is present.

`;

export function settingsPage(): string {
  const rows = merged([...rowsOf(ConfigSchema, '')]).map((row) =>
    [`\`${row.setting}\``, row.type, row.fallback, row.allowed, row.meaning].map((cell) =>
      cell.replaceAll('|', '\\|'),
    ),
  );
  return HEAD + markdownTable([COLUMNS, ...rows]);
}

function* rowsOf(schema: TSchema, setting: string): Generator<SettingRow> {
  const { description, keyName } = schema as Prose;
  if (description !== undefined) yield rowOf(schema, setting);
  if (IsUnion(schema)) yield* rowsOfAlternatives(schema.anyOf, setting);
  else if (IsArray(schema)) yield* rowsOf(schema.items, `${setting}[]`);
  else if (IsRecord(schema)) yield* rowsOf(RecordValue(schema), `${setting}.<${keyName}>`);
  else if (IsObject(schema)) {
    for (const [key, property] of Object.entries(schema.properties))
      yield* rowsOf(property, below(setting, key));
  }
}

function below(setting: string, key: string): string {
  return setting === '' ? key : `${setting}.${key}`;
}

/** A setting that only some of the alternatives have is what one chooses between them by. */
function* rowsOfAlternatives(branches: readonly TSchema[], setting: string): Generator<SettingRow> {
  for (const branch of branches) {
    for (const row of rowsOf(branch, setting)) {
      const [own = ''] = row.setting.slice(below(setting, '').length).split(/[.[]/);
      const everywhere = branches.every((other) => IsObject(other) && Object.hasOwn(other.properties, own));
      yield everywhere || row.fallback !== REQUIRED ? row : { ...row, fallback: 'by choice' };
    }
  }
}

function rowOf(schema: TSchema, setting: string): SettingRow {
  const { description = '', expects = '', keys } = schema as Prose;
  const values = IsEnum(schema) ? schema.enum.map((value) => `\`${value}\``).join(', ') : expects;
  const own = IsObject(schema) ? 'the settings below it' : values;
  const allowed = keys === undefined ? own : `keys: ${(keys as Prose).expects}`;
  return { setting, type: typeOf(schema), fallback: fallbackOf(schema), allowed, meaning: description };
}

function fallbackOf(schema: TSchema): string {
  const { default: value } = schema as Prose;
  if (value === undefined) return IsOptional(schema) ? 'left out' : REQUIRED;
  // A map's own default is in its description.
  if (IsRecord(schema)) return Object.keys(value as object).length === 0 ? 'empty' : 'see meaning';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function typeOf(schema: TSchema): string {
  if (IsArray(schema)) return 'list';
  if (IsRecord(schema) || IsObject(schema)) return 'map';
  if (IsInteger(schema)) return 'whole number';
  if (IsBoolean(schema) || (IsLiteral(schema) && typeof schema.const === 'boolean')) return 'true or false';
  if (IsUnion(schema) && schema.anyOf.some(IsObject)) return typesOfMixed(schema.anyOf);
  if (IsUnion(schema)) return schema.anyOf.some(IsArray) ? `${WORD} or list` : 'amount';
  return IsEnum(schema) ? WORD : 'text';
}

/** A value that may be a map, and perhaps something shorter. */
function typesOfMixed(branches: readonly TSchema[]): string {
  const leaf = branches.find((branch) => !IsObject(branch));
  return leaf === undefined ? 'map' : `${typeOf(leaf)} or map`;
}

/** One row for each setting: alternatives of a map tell about the same setting more than once. */
function merged(rows: readonly SettingRow[]): SettingRow[] {
  const bySetting = new Map<string, SettingRow[]>();
  for (const row of rows) bySetting.set(row.setting, [...(bySetting.get(row.setting) ?? []), row]);
  return [...bySetting.entries()].map(([setting, same]) => {
    const each = (cell: (row: SettingRow) => string) => [...new Set(same.map(cell))];
    const types = new Set(same.flatMap((row) => row.type.split(' or ')));
    const fallbacks = each((row) => row.fallback);
    const isWord = [...types].join() === WORD;
    return {
      setting,
      type: [...types].join(' or '),
      // A word that chooses the alternative can be left out if it has a default in one of them.
      fallback: (isWord && fallbacks.length > 1
        ? fallbacks.filter((one) => one !== REQUIRED)
        : fallbacks
      ).join(', '),
      allowed: each((row) => row.allowed).join(isWord ? ', ' : '; '),
      meaning: each((row) => row.meaning).join(' '),
    };
  });
}
