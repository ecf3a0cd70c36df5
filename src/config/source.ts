/** Parses the YAML text: its data, its syntax errors, and the position of a path in it. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLError,
} from 'yaml';
import { type Issue, type Mistake, type Path, pointerOf } from './issues.js';

export interface Source {
  /** Undefined if the YAML is too broken to validate. */
  readonly data: { readonly value: unknown } | undefined;
  readonly mistakes: readonly Mistake[];
  /** Paths of aliases without an anchor: their values are unknown. */
  readonly unresolved: readonly Path[];
  locate(path: Path, spot: Issue['spot']): Place;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Keys are strings as written: the user 007 is not the user 7. The parser's own check for duplicate keys is off,
 * because it does not report the position of the second one.
 */
const OPTIONS = { stringKeys: true, uniqueKeys: false, prettyErrors: false, logLevel: 'error' } as const;

export function parseSource(text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...OPTIONS, lineCounter: lines });
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const locate: Source['locate'] = (path, spot) => placeAt(offsetOf(document, path, spot));
  const broken = [...document.errors, ...document.warnings].map((error) => ({
    ...described(error),
    ...placeAt(error.pos[0]),
  }));
  const found = [...inspect(document, document.contents, [])].map(({ offset, ...mistake }) => ({
    ...mistake,
    ...placeAt(offset),
  }));
  const mistakes = [...broken, ...found.map(({ alias: _, ...mistake }) => mistake)];
  const unresolved = found.flatMap(({ alias }) => (alias === undefined ? [] : [alias]));
  // After removing it, the rest can be read.
  for (const path of unresolved) document.setIn(path, null);
  // The first of several documents can still be validated.
  if (document.errors.some(({ code }) => code !== 'MULTIPLE_DOCS'))
    return { data: undefined, mistakes, unresolved, locate };
  try {
    return { data: { value: document.toJS() }, mistakes, unresolved, locate };
  } catch (error) {
    // The aliases expand beyond the parser's limit.
    const message = error instanceof Error ? error.message : String(error);
    const excess = { path: '', line: 1, column: 1, message, hint: 'use fewer aliases' };
    return { data: undefined, mistakes: [...mistakes, excess], unresolved, locate };
  }
}

function described(error: YAMLError): Omit<Mistake, keyof Place> {
  if (error.code === 'MULTIPLE_DOCS')
    return { path: '', message: 'the file holds more than one document', hint: 'keep one, without ---' };
  return { path: '', message: error.message, hint: 'fix the YAML' };
}

type Offset = Omit<Mistake, keyof Place> & { readonly offset: number; readonly alias?: Path };

/** Duplicate keys, and aliases without an anchor. */
function* inspect(document: Document, node: unknown, path: Path): Generator<Offset> {
  if (isAlias(node) && node.resolve(document) === undefined) {
    const message = `no anchor &${node.source} is defined before this alias`;
    const hint = 'add the anchor, or write the value out';
    yield { path: pointerOf(path), message, hint, offset: startOf(node) ?? 0, alias: path };
  }
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) yield* inspect(document, item, [...path, index]);
  }
  if (!isMap(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    const text = textOf(key);
    const below = [...path, text];
    if (seen.has(text)) {
      const message = `duplicate key \`${text}\``;
      yield { path: pointerOf(below), message, hint: 'remove one of the two', offset: startOf(key) ?? 0 };
    }
    seen.add(text);
    yield* inspect(document, value, below);
  }
}

function offsetOf(document: Document, path: Path, spot: Issue['spot']): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const target = isAlias(node) ? node.resolve(document) : node;
    // Of duplicate keys, the last one counts.
    const pair = isMap(target) ? target.items.findLast(({ key }) => textOf(key) === String(step)) : undefined;
    const next: unknown = isSeq(target) && typeof step === 'number' ? target.items[step] : pair?.value;
    if (pair === undefined && next === undefined) break;
    const atKey = depth === path.length - 1 && spot === 'key';
    offset = (atKey ? startOf(pair?.key) : startOf(next)) ?? startOf(pair?.key) ?? offset;
    node = next;
  }
  return offset;
}

function textOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
