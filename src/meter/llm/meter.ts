/** Prices requests to language models: what to hold, what to change of the body, and who reads the answer. */
import { isAscii } from 'node:buffer';
import { ProblemError } from '../../errors/catalogue.js';
import { type ChargeItem, charges, UNITS_MAX } from '../../quota/charge.js';
import { readableCodings } from '../content-coding.js';
import { boundaryOf } from '../form.js';
import type { Priced } from '../priced.js';
import { askedClasses } from './asked-classes.js';
import { type FormBody, readForm } from './form-body.js';
import { isFreeCall } from './free-calls.js';
import { type Scanned, scanJson } from './json-scan.js';
import { INLINE_BYTES_MAX } from './large-answer.js';
import { refuseOthers, refuseSelectors } from './other-models.js';
import { Rates, type RequestRates } from './rates.js';
import { Places, type Request, readRequest } from './request.js';
import { scanThread } from './scan-thread.js';
import type { Shape } from './shape.js';
import { FORM_APIS, SHAPES } from './shapes/index.js';
import type { LlmSpec, LlmTerms, Models } from './spec.js';
import { ceilingEdits, type Edit, editAt, splice } from './splice.js';
import { denseBytes } from './usage.js';
import { UsageReader } from './usage-reader.js';

export type QuotaDecimals = Readonly<Record<string, { readonly decimals: number }>>;

export interface LlmMeter {
  /**
   * `path`: canonical, without its query; `query`: from its `?` on, or ''. `fixed`: what the request costs besides; it stands
   * first in the charges. Throws or rejects with ProblemError. A promise only where the body is read in a thread.
   */
  price(
    path: string,
    query: string,
    rawHeaders: readonly string[],
    body: Buffer,
    fixed: readonly ChargeItem[],
    action: string,
  ): Priced | Promise<Priced>;
  /** Some of its requests are forms. */
  readonly takesForms: boolean;
  close(): Promise<void>;
}

/** A request as it came. */
interface Given {
  readonly shape: Shape;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly fixed: readonly ChargeItem[];
  readonly action: string;
  /** Left out: the body is JSON as it came. */
  readonly form?: FormBody;
}

/** The same with all that its price depends on. */
interface Case {
  readonly given: Given;
  readonly request: Request;
  readonly places: Places;
  readonly rates: RequestRates;
  readonly inputTokens: number;
  readonly inputTextTokens: number;
  /** The most output, where the API does not leave that to the model. */
  readonly outputUnits: number | undefined;
}

/** Throws an Error for charges by which no request could be priced. */
export class Meter implements LlmMeter {
  private readonly terms: LlmTerms;
  readonly takesForms: boolean;
  private readonly rates: Rates;

  constructor(specs: readonly LlmSpec[], quotas: QuotaDecimals, models: Models) {
    this.terms = sharedTerms(specs);
    this.rates = new Rates(specs, quotas, models, this.terms.bytesPerToken);
    this.takesForms = FORM_APIS.has(this.terms.api);
    scanThread.enter();
  }

  price(
    path: string,
    query: string,
    rawHeaders: readonly string[],
    body: Buffer,
    fixed: readonly ChargeItem[],
    action: string,
  ): Priced | Promise<Priced> {
    const { api } = this.terms;
    if (isFreeCall(api, path)) return { charges: charges(action, fixed) };
    const shape = SHAPES[api](path, query, rawHeaders);
    refuseSelectors(query, rawHeaders);
    const given: Given = { shape, path, rawHeaders, body, fixed, action };
    const boundary = this.takesForms ? boundaryOf(rawHeaders) : undefined;
    refuseOtherBody(shape, path, boundary !== undefined);
    if (boundary === undefined) return this.scan(given);
    return readForm(body, boundary, shape.request).then((form) =>
      this.scan({ ...given, body: form.json, form }),
    );
  }

  async close(): Promise<void> {
    await scanThread.leave();
  }

  private scan(given: Given): Priced | Promise<Priced> {
    const { body, shape } = given;
    const { tokenizer, bytesPerToken } = this.terms;
    const { paths, tree } = shape.request;
    if (tokenizer === 'bytes' && body.length <= INLINE_BYTES_MAX) {
      const scanned = scanJson(body, tree, paths.length);
      return this.priced(given, scanned, Math.ceil(scanned.textBytes / bytesPerToken));
    }
    const counts = tokenizer === 'bytes' ? undefined : tokenizer;
    return scanThread.scan(body, paths, counts).then(({ scanned, tokens, uncountedBytes }) => {
      const bytes = counts === undefined ? scanned.textBytes : uncountedBytes;
      return this.priced(given, scanned, tokens + Math.ceil(bytes / bytesPerToken));
    });
  }

  private priced(given: Given, read: Scanned, textTokens: number): Priced {
    const { shape, body, path, form } = given;
    const scanned = form === undefined ? read : { ...read, mediaParts: read.mediaParts + form.files };
    const places = new Places(shape.request, body, scanned);
    const request = readRequest(shape.request, path, places);
    if (this.terms.otherModels === 'refuse') refuseOthers(request.others);
    const asked = this.rates.hasClasses ? askedClasses(places, scanned, body, this.rates.tools) : undefined;
    const rates =
      request.model === undefined
        ? this.rates.ofAny(asked)
        : this.rates.of([request.model, ...request.others.names], asked);
    const media = scanned.mediaParts * this.terms.mediaTokens;
    const terms = { ...this.terms, fileBytes: form?.fileBytes ?? 0 };
    const { inputUnits, outputUnits: made } = shape.request;
    const billed = inputUnits?.count(places, textTokens, terms);
    const inputTokens = Math.max(1, billed ?? textTokens + scanned.numbers + media);
    // In units of another kind, only what depends neither on the text nor on files is sure.
    const sure = inputUnits?.count(places, 0, { ...terms, fileBytes: 0 });
    const inputTextTokens = sure ?? contentTokens(body, scanned, textTokens);
    const outputUnits = made?.count(places, textTokens, terms);
    return this.held({ given, request, places, rates, inputTokens, inputTextTokens, outputUnits }, undefined);
  }

  /** @param ceiling a lower one than the request's own */
  private held(one: Case, ceiling: number | undefined): Priced {
    const { given, request, rates, inputTokens } = one;
    const most = outputTokens(one, ceiling);
    const { hold, stepTokens, whenShort } = this.terms;
    // Without a stream nothing comes before the end, and no step could be taken.
    const steps = hold === 'step' && request.stream && given.shape.request.outputUnseen !== true;
    const first = steps ? Math.min(most, stepTokens) : most;
    const items = rates.held.map((price): ChargeItem => {
      const units = price.hold(inputTokens, first);
      if (units > UNITS_MAX)
        throw new ProblemError('cost-invalid', 'The request costs more than can be counted.');
      return { quota: price.quota, units, kind: 'held' };
    });
    const coding = this.codingFor(one);
    const clamps = ceiling === undefined && whenShort === 'clamp' && canClamp(one);
    return {
      charges: charges(given.action, given.fixed.length === 0 ? items : [...given.fixed, ...items]),
      reader: this.watch(one, most, first, ceiling !== undefined),
      body: this.bodyFor(one, ceiling),
      setFields: coding === undefined ? undefined : ['accept-encoding', coding],
      answerFields: ceiling === undefined ? undefined : ['QuotaGate-Clamped', String(ceiling)],
      clamp: clamps ? (left) => this.clamped(one, left) : undefined,
    };
  }

  private clamped(one: Case, left: (quota: string) => number): Priced | undefined {
    const { rates, inputTokens, request } = one;
    const allowed = rates.held.map((price) => price.outputFor(inputTokens, wholeUnits(left(price.quota))));
    const ceiling = Math.floor(Math.min(...allowed) / request.answers);
    if (ceiling < request.ceilingLeast) return undefined;
    return this.held(one, ceiling < ceilingOf(one) ? ceiling : undefined);
  }

  private watch(one: Case, mostTokens: number, heldTokens: number, clamped: boolean): UsageReader {
    const { given, request, rates, inputTokens, inputTextTokens } = one;
    const { bytesPerToken, tokensPerSecond, hiddenReasoningTokens, stepTokens, hold, whenSpent } = this.terms;
    return new UsageReader({
      shape: given.shape,
      rates,
      stream: request.stream,
      later: request.later,
      inputTokens,
      inputTextTokens,
      heldTokens,
      mostTokens,
      bound: clamped || request.ceiling !== undefined,
      bytesPerToken,
      tokensPerSecond,
      hiddenReasoningTokens,
      stepTokens,
      ahead: hold === 'step',
      asked: this.asks(one),
      cuts: whenSpent === 'cut',
    });
  }

  private bodyFor(one: Case, ceiling: number | undefined): Buffer | undefined {
    const { given, places } = one;
    const { ceilings, askUsage } = given.shape.request;
    const edits: Edit[] = ceiling === undefined ? [] : ceilingEdits(ceilings, places, ceiling);
    if (askUsage !== undefined && this.asks(one)) edits.push(editAt(places, askUsage, 'true'));
    return edits.length === 0 ? undefined : splice(given.body, edits);
  }

  /** The gateway asks for usage: the API has to be asked, the client does not, and the upstream takes it. */
  private asks({ given, request }: Case): boolean {
    const asked = request.stream && given.shape.request.askUsage !== undefined && !request.asksUsage;
    return asked && this.terms.askUsage;
  }

  /** Accept-Encoding for the upstream, where it must be another than the client's. */
  private codingFor(one: Case): string | undefined {
    const { hold, whenSpent } = this.terms;
    const looksOn = this.asks(one) || hold === 'step' || whenSpent === 'cut';
    return one.request.stream && looksOn ? 'identity' : readableCodings(one.given.rawHeaders);
  }
}

/** Scripts are recognized by the beginning of a body. */
const SAMPLE_BYTES = 65_536;

/** The prompt's share of the text, less what its script makes of it. */
function contentTokens(body: Buffer, { contentBytes, textBytes }: Scanned, textTokens: number): number {
  if (contentBytes === 0) return 0;
  const tokens = (textTokens * contentBytes) / textBytes;
  const sample = body.subarray(0, SAMPLE_BYTES);
  if (isAscii(sample)) return tokens;
  return tokens * (1 - denseBytes(sample, 0, sample.length) / sample.length);
}

/** A form where JSON is taken, and the other way round, can be read by an upstream in a way of its own. */
function refuseOtherBody({ bodies }: Shape, path: string, isForm: boolean): void {
  if (bodies === 'either' || isForm === (bodies === 'form')) return;
  const type = isForm ? 'application/json' : 'multipart/form-data, with a boundary and nothing else';
  throw new ProblemError('body-encoded', `Content-Type must be ${type} for ${path}.`);
}

/** What a further model states for itself stands where no ceiling is put. */
function canClamp({ given, request }: Case): boolean {
  return given.shape.request.ceilings.length > 0 && request.others.ceiling === 0;
}

function ceilingOf({ request, rates }: Case): number {
  return Math.max(request.others.ceiling, request.ceiling ?? rates.maxOutputTokens);
}

function outputTokens(one: Case, ceiling: number | undefined): number {
  const { ceilings, ceilingUnknown } = one.given.shape.request;
  if (ceilings.length === 0 && ceilingUnknown !== true) return 0;
  const tokens = one.outputUnits ?? (ceiling ?? ceilingOf(one)) * one.request.answers;
  if (!Number.isSafeInteger(tokens))
    throw new ProblemError('cost-invalid', 'The request costs more than can be counted.');
  return tokens;
}

function wholeUnits(units: number): number {
  return Number.isNaN(units) ? 0 : Math.max(0, Math.floor(Math.min(units, UNITS_MAX)));
}

/** All charges of a route read one request and one answer, so they must agree on how. */
function sharedTerms(specs: readonly LlmSpec[]): LlmTerms {
  const [first] = specs;
  if (first === undefined) throw new Error('no charge by tokens');
  const { weights: _, per: __, ...shared } = first.llm;
  for (const { quota, llm } of specs) {
    for (const [name, value] of Object.entries(shared)) {
      if (llm[name as keyof LlmTerms] !== value)
        throw new Error(`${quota}: ${name} must be the same for all charges of a route`);
    }
  }
  return first.llm;
}
