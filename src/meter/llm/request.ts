/** Reads what a request states about its cost, from the members that its API defines. */
import { ProblemError } from '../../errors/catalogue.js';
import type { Scanned, ValueSpan } from './json-scan.js';
import { OTHER_MODELS, type OtherModels, otherModels } from './other-models.js';
import { REQUESTED_CLASS_PATHS } from './requested-classes.js';
import { type Path, type SpanNode, spanTree } from './span-tree.js';

/** Options for counting units that depend on more than the body's text. */
export interface UnitOptions {
  /** Bytes of the files of a form. */
  readonly fileBytes: number;
  readonly audioBytesPerSecond: number;
  readonly tokensPerSecond: number;
}

export interface UnitCounter {
  /** The members that are needed for counting. */
  readonly paths: readonly Path[];
  count(values: BodyValues, textTokens: number, options: UnitOptions): number;
}

/** Where the requests of an API state their cost. */
export interface RequestLayout {
  /** Absent: the path names the model. */
  readonly model?: Path;
  /** Returns the model in the path; undefined if the path names none. */
  readonly modelInPath?: (path: string) => string | undefined;
  /** The upstream uses a default model if none is named. */
  readonly modelOptional?: boolean;
  /** A stored prompt of the provider; it has its own model. */
  readonly storedPrompt?: Path;
  /** Where a request can name further models. Absent: wherever any API accepts one. */
  readonly otherModels?: readonly Path[];
  /** Absent: the path decides whether the answer is a stream. */
  readonly stream?: Path;
  /** Returns undefined if the body decides. */
  readonly streamInPath?: (path: string) => boolean | undefined;
  /** A request that does not say it wants a stream gets one. */
  readonly streamDefault?: boolean;
  /** If true, the upstream completes the answer without a waiting client and serves it later. */
  readonly background?: Path;
  /**
   * Where the output limit is stated. A lowered limit is written to the first path if none is stated. Empty: there is
   * no output.
   */
  readonly outputLimits: readonly Path[];
  /** There is output, but the request states no limit that can be read. */
  readonly outputLimitUnknown?: boolean;
  /** A limit below 0 means no limit. */
  readonly negativeMeansUnlimited?: boolean;
  /** How many answers are made; the largest value counts. */
  readonly choices: readonly Path[];
  /** A list of prompts, each answered separately. */
  readonly prompts?: Path;
  /** What the API bills as input instead of tokens of the text. */
  readonly inputUnits?: UnitCounter;
  /** The maximum output of the request, instead of its model's. */
  readonly outputUnits?: UnitCounter;
  /**
   * The output is made as a whole: it cannot be counted while it arrives, and without usage the whole hold is charged.
   */
  readonly outputUnseen?: boolean;
  /** If true, a stream ends with its usage. Absent: usage comes without being asked for, or cannot be asked for. */
  readonly askUsage?: Path;
  /** The output limit must be greater than the number at this path. */
  readonly outputLimitAbove?: Path;
  /** The upstream refuses lower limits. */
  readonly minOutputLimit: number;
  /** Alternative spellings of one member: two of them in one body are refused. */
  readonly spellings?: readonly (readonly Path[])[];
  /** null means absent. */
  readonly nullable: boolean;
}

/** Requests that have no output: embeddings. */
export const INPUT_ONLY: RequestLayout = {
  model: ['model'],
  outputLimits: [],
  choices: [],
  minOutputLimit: 1,
  nullable: true,
};

/** Reads the model from a path: the first group of the pattern, decoded. */
export function modelAt(pattern: RegExp): (path: string) => string | undefined {
  return (path) => {
    const name = pattern.exec(path)?.[1];
    if (name === undefined) return undefined;
    try {
      return decodeURIComponent(name);
    } catch {
      return name;
    }
  };
}

/** A layout with its paths compiled for the scan. */
export interface CompiledLayout extends RequestLayout {
  readonly otherModels: readonly Path[];
  readonly paths: readonly Path[];
  readonly tree: SpanNode;
  /** Paths that contain another path. */
  readonly parents: readonly Path[];
}

export function compileLayout(layout: RequestLayout): CompiledLayout {
  const others = layout.otherModels ?? OTHER_MODELS;
  const single = [
    layout.model,
    layout.stream,
    layout.background,
    layout.prompts,
    layout.askUsage,
    layout.outputLimitAbove,
    layout.storedPrompt,
  ];
  const wanted = [
    ...single,
    ...others,
    ...REQUESTED_CLASS_PATHS,
    ...layout.outputLimits,
    ...layout.choices,
    ...(layout.inputUnits?.paths ?? []),
    ...(layout.outputUnits?.paths ?? []),
    ...(layout.spellings ?? []).flat(),
  ];
  const paths = new Map<string, Path>([['', []]]);
  for (const path of wanted) {
    for (let depth = 1; depth <= (path?.length ?? 0); depth += 1) {
      const part = path?.slice(0, depth) ?? [];
      paths.set(part.join('/'), part);
    }
  }
  const list = [...paths.values()];
  const parents = list.filter((path) => path.length > 0 && list.some((other) => isBelow(other, path)));
  return { ...layout, otherModels: others, paths: list, tree: spanTree(list), parents };
}

function isBelow(path: Path, parent: Path): boolean {
  return path.length === parent.length + 1 && parent.every((key, at) => key === path[at]);
}

/** One request, as far as its cost is concerned. */
export interface Request {
  /** Undefined if a stored prompt names the model. */
  readonly model: string | undefined;
  readonly others: OtherModels;
  readonly stream: boolean;
  /** The answer is completed even if the client leaves. */
  readonly background: boolean;
  /** The largest stated limit per answer; undefined if none is stated, or if 0 could mean no limit. */
  readonly outputLimit: number | undefined;
  /** The number of answers: choices × prompts. */
  readonly answers: number;
  /** The client asks for usage itself. */
  readonly asksUsage: boolean;
  /** The lowest limit that the upstream accepts. */
  readonly minOutputLimit: number;
}

const CHOICES_MAX = 128;
const PROMPTS_MAX = 4096;
const TOKENS_MAX = 1_000_000_000_000;

/** The scanned values of one body, by path. */
export class BodyValues {
  constructor(
    private readonly layout: CompiledLayout,
    private readonly body: Buffer,
    private readonly scanned: Scanned,
  ) {}

  at(path: Path): ValueSpan | undefined {
    return this.scanned.spans[slotOf(this.layout.paths, path)];
  }

  /** Returns undefined if the value is absent, or null where that means absent. */
  stated(path: Path | undefined): ValueSpan | undefined {
    const span = path === undefined ? undefined : this.at(path);
    if (span?.kind !== 'null') return span;
    if (this.layout.nullable) return undefined;
    throw invalid(path, 'must not be null');
  }

  text(span: ValueSpan): string {
    return this.body.toString('utf8', span.start, span.end);
  }

  flag(path: Path | undefined, unstated = false): boolean {
    const span = this.stated(path);
    if (span === undefined) return unstated;
    if (span.kind !== 'true' && span.kind !== 'false') throw invalid(path, 'must be true or false');
    return span.kind === 'true';
  }

  isNegative(path: Path): boolean {
    const span = this.at(path);
    return span?.kind === 'number' && Number(this.text(span)) < 0;
  }

  /** Returns a whole number ≥ 0, in any spelling with exactly that value. */
  whole(path: Path | undefined, most: number): number | undefined {
    const span = this.stated(path);
    if (span === undefined) return undefined;
    const value = span.kind === 'number' ? Number(this.text(span)) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0) || value > most)
      throw invalid(path, `must be a whole number from 0 to ${most}`);
    return value;
  }
}

/** Called for every request, so it allocates no closure. */
function slotOf(paths: readonly Path[], path: Path): number {
  const { length } = path;
  for (let slot = 0; slot < paths.length; slot += 1) {
    const other = paths[slot];
    if (other === path) return slot;
    if (other?.length !== length) continue;
    let at = 0;
    while (at < length && other[at] === path[at]) at += 1;
    if (at === length) return slot;
  }
  return -1;
}

export function readRequest(layout: CompiledLayout, path: string, values: BodyValues): Request {
  const root = values.at([]);
  if (root?.kind !== 'object') throw new ProblemError('body-malformed', 'The body must be a JSON object.');
  for (const group of layout.spellings ?? []) refuseDuplicateSpellings(group, values);
  refuseBrokenParents(layout, values);
  const outputLimits = layout.outputLimits
    .map((one) => outputLimitAt(layout, one, values))
    .filter((one) => one !== undefined);
  const above = values.whole(layout.outputLimitAbove, TOKENS_MAX) ?? 0;
  const others = otherModels(layout.otherModels, values);
  return {
    model: modelOf(layout, path, values, others),
    others,
    stream: layout.streamInPath?.(path) ?? values.flag(layout.stream, layout.streamDefault),
    background: values.flag(layout.background),
    outputLimit:
      outputLimits.length === 0 || outputLimits.includes(0) ? undefined : Math.max(...outputLimits),
    answers: choicesOf(layout, values) * promptsOf(layout, values),
    asksUsage: values.flag(layout.askUsage),
    minOutputLimit: Math.max(layout.minOutputLimit, above + 1),
  };
}

/** Returns 0 for an explicit "no limit". */
function outputLimitAt(
  { negativeMeansUnlimited }: RequestLayout,
  path: Path,
  values: BodyValues,
): number | undefined {
  return negativeMeansUnlimited === true && values.isNegative(path) ? 0 : values.whole(path, TOKENS_MAX);
}

function modelOf(
  layout: RequestLayout,
  path: string,
  values: BodyValues,
  { names }: OtherModels,
): string | undefined {
  const { model, modelInPath, modelOptional, storedPrompt } = layout;
  const named = modelInPath?.(path);
  if (named !== undefined) return named;
  const span = values.stated(model);
  if (span !== undefined && span.kind !== 'string') throw invalid(model, 'must be a string');
  // A list of models may replace the single model.
  const name = span === undefined ? (names[0] ?? '') : (JSON.parse(values.text(span)) as string);
  if (name === '' && values.stated(storedPrompt)?.kind === 'object') return undefined;
  if (name === '' && modelOptional !== true)
    throw new ProblemError('model-unknown', 'The request names no model.');
  return name;
}

function choicesOf({ choices }: RequestLayout, values: BodyValues): number {
  const counts = choices.map((path) => {
    const count = values.whole(path, CHOICES_MAX);
    if (count === 0) throw invalid(path, 'must be above 0');
    return count ?? 1;
  });
  return Math.max(1, ...counts);
}

/** A list of tokens is one prompt; a list of strings or of token lists is many. */
function promptsOf({ prompts }: RequestLayout, values: BodyValues): number {
  const span = values.stated(prompts);
  if (span?.kind !== 'array') return 1;
  const count = Math.max(1, span.count - span.numbers);
  if (count > PROMPTS_MAX) throw invalid(prompts, `must have at most ${PROMPTS_MAX} entries`);
  return count;
}

function refuseDuplicateSpellings(group: readonly Path[], values: BodyValues): void {
  const [first, second] = group.filter((path) => values.at(path) !== undefined);
  if (second !== undefined)
    throw invalid(first, `is another spelling of ${second.join('.')}: send only one of them`);
}

/** The parent of a wanted key must be an object, or absent. */
function refuseBrokenParents({ parents }: CompiledLayout, values: BodyValues): void {
  for (const path of parents) {
    const span = values.at(path);
    if (span !== undefined && span.kind !== 'object' && span.kind !== 'null')
      throw invalid(path, 'must be an object');
  }
}

function invalid(path: Path | undefined, what: string): ProblemError {
  return new ProblemError('cost-invalid', `${(path ?? []).join('.')} ${what}.`);
}
