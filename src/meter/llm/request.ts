/** What a request says of its own cost, read from the places that its API names. */
import { ProblemError } from '../../errors/catalogue.js';
import { ASKED_PLACES } from './asked-classes.js';
import type { Place, Scanned } from './json-scan.js';
import { OTHER_MODELS, type OtherModels, otherModels } from './other-models.js';
import { type Path, type PlaceNode, placeTree } from './places.js';

/** What units are counted by, beside the body's text. */
export interface UnitTerms {
  /** Of the files of a form. */
  readonly fileBytes: number;
  readonly audioBytesPerSecond: number;
  readonly tokensPerSecond: number;
}

export interface Units {
  /** What it is counted by. */
  readonly paths: readonly Path[];
  count(places: Places, textTokens: number, terms: UnitTerms): number;
}

/** Where an API's requests say what they cost. */
export interface RequestForm {
  /** Left out: the path names it. */
  readonly model?: Path;
  /** What the path names in the model's place; undefined where it names none. */
  readonly modelInPath?: (path: string) => string | undefined;
  /** The upstream takes some model where none is named. */
  readonly modelOptional?: boolean;
  /** A prompt that is stored upstream, with a model of its own. */
  readonly storedPrompt?: Path;
  /** Where a request can name further models. Left out: wherever any API takes one. */
  readonly otherModels?: readonly Path[];
  /** Left out: the path says it. */
  readonly stream?: Path;
  /** Undefined: the body says it. */
  readonly streamInPath?: (path: string) => boolean | undefined;
  /** A request that does not say streams. */
  readonly streamDefault?: boolean;
  /** Set to true, the upstream goes on with the answer when nobody waits for it, and gives it out later. */
  readonly later?: Path;
  /** Where the output's ceiling stands; a lowered one goes to the first where none is stated. Empty: there is no output. */
  readonly ceilings: readonly Path[];
  /** There is output, of which the request states no ceiling that could be read. */
  readonly ceilingUnknown?: boolean;
  /** A ceiling below 0 is none. */
  readonly negativeCeilings?: boolean;
  /** How many answers are made; the largest counts. */
  readonly choices: readonly Path[];
  /** A list of prompts, each answered by itself. */
  readonly prompts?: Path;
  /** What the API bills in place of tokens of the text. */
  readonly inputUnits?: Units;
  /** The most output of the request, in place of its model's. */
  readonly outputUnits?: Units;
  /** It is made in whole: nothing of it can be counted while it comes, and without usage all of it is charged. */
  readonly outputUnseen?: boolean;
  /** Set to true, a stream ends with its usage. Left out: usage comes unasked, or cannot be asked for. */
  readonly askUsage?: Path;
  /** The ceiling must be above the number there. */
  readonly ceilingAbove?: Path;
  /** Ceilings below are refused upstream. */
  readonly ceilingLeast: number;
  /** Spellings of one thing: two of them in one body are refused. */
  readonly spellings?: readonly (readonly Path[])[];
  /** null stands for a value that is left out. */
  readonly nullable: boolean;
}

/** A form with the scan's slots for it. */
export interface CompiledForm extends RequestForm {
  readonly otherModels: readonly Path[];
  readonly paths: readonly Path[];
  readonly tree: PlaceNode;
  /** Those that hold another. */
  readonly parents: readonly Path[];
}

export function requestForm(form: RequestForm): CompiledForm {
  const others = form.otherModels ?? OTHER_MODELS;
  const single = [
    form.model,
    form.stream,
    form.later,
    form.prompts,
    form.askUsage,
    form.ceilingAbove,
    form.storedPrompt,
  ];
  const wanted = [
    ...single,
    ...others,
    ...ASKED_PLACES,
    ...form.ceilings,
    ...form.choices,
    ...(form.inputUnits?.paths ?? []),
    ...(form.outputUnits?.paths ?? []),
    ...(form.spellings ?? []).flat(),
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
  return { ...form, otherModels: others, paths: list, tree: placeTree(list), parents };
}

function isBelow(path: Path, parent: Path): boolean {
  return path.length === parent.length + 1 && parent.every((key, at) => key === path[at]);
}

/** One request, as far as its cost goes. */
export interface Request {
  /** Undefined where a stored prompt names it. */
  readonly model: string | undefined;
  readonly others: OtherModels;
  readonly stream: boolean;
  /** The answer is made to its end whether or not the client stays. */
  readonly later: boolean;
  /** The largest that is stated, per answer; undefined where none is, or where 0 could mean no ceiling at all. */
  readonly ceiling: number | undefined;
  /** Answers that it is for: choices × prompts. */
  readonly answers: number;
  /** The client asks for usage itself. */
  readonly asksUsage: boolean;
  /** The least ceiling that the upstream would take. */
  readonly ceilingLeast: number;
}

const CHOICES_MAX = 128;
const PROMPTS_MAX = 4096;
const TOKENS_MAX = 1_000_000_000_000;

/** The places of one body, by path. */
export class Places {
  constructor(
    private readonly form: CompiledForm,
    private readonly body: Buffer,
    private readonly scanned: Scanned,
  ) {}

  at(path: Path): Place | undefined {
    return this.scanned.places[slotOf(this.form.paths, path)];
  }

  /** Undefined where there is nothing, or null where that is the same. */
  stated(path: Path | undefined): Place | undefined {
    const place = path === undefined ? undefined : this.at(path);
    if (place?.kind !== 'null') return place;
    if (this.form.nullable) return undefined;
    throw invalid(path, 'must not be null');
  }

  text(place: Place): string {
    return this.body.toString('utf8', place.start, place.end);
  }

  flag(path: Path | undefined, unstated = false): boolean {
    const place = this.stated(path);
    if (place === undefined) return unstated;
    if (place.kind !== 'true' && place.kind !== 'false') throw invalid(path, 'must be true or false');
    return place.kind === 'true';
  }

  isNegative(path: Path): boolean {
    const place = this.at(path);
    return place?.kind === 'number' && Number(this.text(place)) < 0;
  }

  /** A whole number ≥ 0, in any spelling that has exactly that value. */
  whole(path: Path | undefined, most: number): number | undefined {
    const place = this.stated(path);
    if (place === undefined) return undefined;
    const value = place.kind === 'number' ? Number(this.text(place)) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0) || value > most)
      throw invalid(path, `must be a whole number from 0 to ${most}`);
    return value;
  }
}

/** Asked for every request, so without a closure. */
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

export function readRequest(form: CompiledForm, path: string, places: Places): Request {
  const root = places.at([]);
  if (root?.kind !== 'object') throw new ProblemError('body-malformed', 'The body must be a JSON object.');
  for (const group of form.spellings ?? []) refuseRivals(group, places);
  refuseBrokenParents(form, places);
  const ceilings = form.ceilings
    .map((one) => ceilingAt(form, one, places))
    .filter((one) => one !== undefined);
  const above = places.whole(form.ceilingAbove, TOKENS_MAX) ?? 0;
  const others = otherModels(form.otherModels, places);
  return {
    model: modelOf(form, path, places, others),
    others,
    stream: form.streamInPath?.(path) ?? places.flag(form.stream, form.streamDefault),
    later: places.flag(form.later),
    ceiling: ceilings.length === 0 || ceilings.includes(0) ? undefined : Math.max(...ceilings),
    answers: choicesOf(form, places) * promptsOf(form, places),
    asksUsage: places.flag(form.askUsage),
    ceilingLeast: Math.max(form.ceilingLeast, above + 1),
  };
}

/** 0 where none is meant. */
function ceilingAt({ negativeCeilings }: RequestForm, path: Path, places: Places): number | undefined {
  return negativeCeilings === true && places.isNegative(path) ? 0 : places.whole(path, TOKENS_MAX);
}

function modelOf(
  form: RequestForm,
  path: string,
  places: Places,
  { names }: OtherModels,
): string | undefined {
  const { model, modelInPath, modelOptional, storedPrompt } = form;
  const named = modelInPath?.(path);
  if (named !== undefined) return named;
  const place = places.stated(model);
  if (place !== undefined && place.kind !== 'string') throw invalid(model, 'must be a string');
  // A list of models can stand in the model's place.
  const name = place === undefined ? (names[0] ?? '') : (JSON.parse(places.text(place)) as string);
  if (name === '' && places.stated(storedPrompt)?.kind === 'object') return undefined;
  if (name === '' && modelOptional !== true)
    throw new ProblemError('model-unknown', 'The request names no model.');
  return name;
}

function choicesOf({ choices }: RequestForm, places: Places): number {
  const counts = choices.map((path) => {
    const count = places.whole(path, CHOICES_MAX);
    if (count === 0) throw invalid(path, 'must be above 0');
    return count ?? 1;
  });
  return Math.max(1, ...counts);
}

/** One list of tokens is one prompt, a list of strings or of such lists is many. */
function promptsOf({ prompts }: RequestForm, places: Places): number {
  const place = places.stated(prompts);
  if (place?.kind !== 'array') return 1;
  const count = Math.max(1, place.count - place.numbers);
  if (count > PROMPTS_MAX) throw invalid(prompts, `must have at most ${PROMPTS_MAX} entries`);
  return count;
}

function refuseRivals(group: readonly Path[], places: Places): void {
  const [first, second] = group.filter((path) => places.at(path) !== undefined);
  if (second !== undefined) throw invalid(first, `stands beside ${second.join('.')}, which is the same`);
}

/** What should hold a wanted key must be an object, or be left out. */
function refuseBrokenParents({ parents }: CompiledForm, places: Places): void {
  for (const path of parents) {
    const place = places.at(path);
    if (place !== undefined && place.kind !== 'object' && place.kind !== 'null')
      throw invalid(path, 'must be an object');
  }
}

function invalid(path: Path | undefined, what: string): ProblemError {
  return new ProblemError('cost-invalid', `${(path ?? []).join('.')} ${what}.`);
}
