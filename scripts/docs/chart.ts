/** The values of the Helm chart: the table in its README and the comments in `values.yaml`, from `values.schema.json`. */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, parse, parseDocument } from 'yaml';
import { markdownTable } from './table.js';

const FOLDER = 'helm/quotagate';
const COMMENT_WIDTH = 120;
const COLUMNS = ['value', 'type', 'default', 'meaning'];

const HEAD = `# Helm chart

Runs quotagate as pods behind a Service, or as a native sidecar in the pods of another chart.

\`\`\`text
helm install gate helm/quotagate --set image.repository=registry.example.com/quotagate -f values.yaml
helm test gate
\`\`\`

[Deployment](../../docs/deployment.md#helm) says how to install each form, with values to copy. [An app with a
sidecar](../examples/app-with-sidecar) is a chart to start from.

## Values

Generated from \`values.schema.json\` and \`values.yaml\` by \`npm run docs\`. Other values are refused.

`;

interface ValueSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly anyOf?: readonly ValueSchema[];
  readonly description?: string;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly definitions?: Readonly<Record<string, ValueSchema>>;
}

interface Value {
  readonly path: readonly string[];
  readonly schema: ValueSchema;
}

/** Every value, and every section before its values. A map that is open to other keys counts as one value. */
function schemaValues(): readonly Value[] {
  const root = JSON.parse(readFileSync(`${FOLDER}/values.schema.json`, 'utf8')) as ValueSchema;
  const resolved = ({ $ref, ...schema }: ValueSchema): ValueSchema =>
    $ref === undefined ? schema : { ...root.definitions?.[$ref.replace('#/definitions/', '')], ...schema };
  function* below({ properties = {} }: ValueSchema, path: readonly string[]): Generator<Value> {
    for (const [key, property] of Object.entries(properties)) {
      const value = { path: [...path, key], schema: resolved(property) };
      yield value;
      if (isSection(value.schema)) yield* below(value.schema, value.path);
    }
  }
  return [...below(root, [])];
}

function isSection({ properties, additionalProperties }: ValueSchema): boolean {
  return properties !== undefined && additionalProperties === false;
}

export function chartReadme(): string {
  const defaults = parse(readFileSync(`${FOLDER}/values.yaml`, 'utf8'));
  const rows = schemaValues().map(({ path, schema }) => [
    `\`${path.join('.')}\``,
    typeOf(schema),
    isSection(schema) ? 'below' : `\`${JSON.stringify(defaultAt(defaults, path))}\``,
    (schema.description ?? '').replaceAll('|', '\\|').replaceAll('<', '\\<'),
  ]);
  return HEAD + markdownTable([COLUMNS, ...rows]);
}

/** `values.yaml` as it is, with the description of each value as its comment. */
export function chartValues(): string {
  const document = parseDocument(readFileSync(`${FOLDER}/values.yaml`, 'utf8'));
  for (const { path, schema } of schemaValues()) {
    const map = document.getIn(path.slice(0, -1), true) ?? document.contents;
    // A map in braces is on one line, and the README has the meaning of its keys.
    if (!isMap(map) || map.flow === true) continue;
    const key = map.items.map((pair) => pair.key).find((one) => isScalar(one) && one.value === path.at(-1));
    if (!isScalar(key)) continue;
    // The parser gives the comment of the first key to the map.
    map.commentBefore = null;
    key.commentBefore = wrapped(schema.description ?? '');
    key.spaceBefore = path.length === 1 && key !== map.items[0]?.key;
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function defaultAt(values: unknown, path: readonly string[]): unknown {
  const [key, ...below] = path;
  if (key === undefined) return values ?? null;
  return defaultAt((values as Record<string, unknown> | null)?.[key], below);
}

function typeOf({ type, enum: words, anyOf }: ValueSchema): string {
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(', ');
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  return [type ?? 'map']
    .flat()
    .map((one) => TYPES[one])
    .join(' or ');
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: 'true or false',
  array: 'list',
  object: 'map',
  null: 'null',
};

/** Lines of a YAML comment. */
function wrapped(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length >= COMMENT_WIDTH) lines.push(` ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join('\n');
}
