/**
 * Prices requests to language models: decides what to hold and how to edit the body, and creates the reader of the
 * answer.
 */

import { isAscii } from 'node:buffer';
import { ProblemError } from '../../errors/catalogue.js';
import { type ChargeItem, charges, UNITS_MAX } from '../../quota/charge.js';
import type { QuotaDecimals } from '../../quota/units.js';
import { readableCodings } from '../content-coding.js';
import { boundaryOf } from '../form.js';
import type { Priced } from '../priced.js';
import { type FormBody, readForm } from './form-body.js';
import { isFreeCall } from './free-calls.js';
import { type Scanned, scanJson } from './json-scan.js';
import { INLINE_BYTES_MAX } from './large-answer.js';
import { refuseOthers, refuseSelectors } from './other-models.js';
import { Rates, type RequestRates } from './rates.js';
import { BodyValues, type Request, readRequest } from './request.js';
import { requestedClasses } from './requested-classes.js';
import { scanThread } from './scan-thread.js';
import type { Shape } from './shape.js';
import { FORM_APIS, SHAPES } from './shapes/index.js';
import type { LlmOptions, LlmSpec, Models } from './spec.js';
import { type Edit, editAt, outputLimitEdits, splice } from './splice.js';
import { denseBytes } from './usage.js';
import { UsageReader } from './usage-reader.js';

/** The price of a request to a model. */
export interface LlmPriced extends Priced {
  readonly reader?: UsageReader | undefined;
  readonly clamp?: ((granted: (quota: string) => number) => LlmPriced) | undefined;
}

export interface LlmMeter {
  /**
   * `path`: canonical, without the query; `query`: starts with `?`, or is ''. `fixed`: other costs of the request; they
   * come first in the charges. Throws or rejects with ProblemError. Returns a promise only if a worker thread reads the
   * body.
   */
  price(
    path: string,
    query: string,
    rawHeaders: readonly string[],
    body: Buffer,
    fixed: readonly ChargeItem[],
    action: string,
  ): LlmPriced | Promise<LlmPriced>;
  /** Some requests of this API are forms. */
  readonly takesForms: boolean;
  close(): Promise<void>;
}

/** A request as received. */
interface IncomingRequest {
  readonly shape: Shape;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly fixed: readonly ChargeItem[];
  readonly action: string;
  /** Present if the body was a form; `body` is then its JSON equivalent. */
  readonly form?: FormBody;
}

/** A request with everything that its price depends on. */
interface PricingContext {
  readonly given: IncomingRequest;
  readonly request: Request;
  readonly values: BodyValues;
  readonly rates: RequestRates;
  readonly inputTokens: number;
  readonly inputTextTokens: number;
  /** The maximum output, if the API derives it from the request instead of the model. */
  readonly outputUnits: number | undefined;
}

/** Throws an Error if no request could be priced by these charges. */
export class Meter implements LlmMeter {
  private readonly options: LlmOptions;
  readonly takesForms: boolean;
  private readonly rates: Rates;

  constructor(specs: readonly LlmSpec[], quotas: QuotaDecimals, models: Models) {
    this.options = sharedOptions(specs);
    this.rates = new Rates(specs, quotas, models, this.options.bytesPerToken);
    this.takesForms = FORM_APIS.has(this.options.api);
    scanThread.addUser();
  }

  // biome-ignore lint/complexity/useMaxParams: called for every request, where an object would be allocated each time.
  price(
    path: string,
    query: string,
    rawHeaders: readonly string[],
    body: Buffer,
    fixed: readonly ChargeItem[],
    action: string,
  ): LlmPriced | Promise<LlmPriced> {
    const { api } = this.options;
    if (isFreeCall(api, path)) return { charges: charges(action, fixed) };
    const shape = SHAPES[api](path, query, rawHeaders);
    refuseSelectors(query, rawHeaders);
    const given: IncomingRequest = { shape, path, rawHeaders, body, fixed, action };
    const boundary = this.takesForms ? boundaryOf(rawHeaders) : undefined;
    refuseOtherBody(shape, path, boundary !== undefined);
    if (boundary === undefined) return this.scan(given);
    return readForm(body, boundary, shape.request).then((form) =>
      this.scan({ ...given, body: form.json, form }),
    );
  }

  async close(): Promise<void> {
    await scanThread.removeUser();
  }

  private scan(given: IncomingRequest): LlmPriced | Promise<LlmPriced> {
    const { body, shape } = given;
    const { tokenizer, bytesPerToken } = this.options;
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

  private priced(given: IncomingRequest, read: Scanned, textTokens: number): LlmPriced {
    const { shape, body, path, form } = given;
    const scanned = form === undefined ? read : { ...read, mediaParts: read.mediaParts + form.files };
    const values = new BodyValues(shape.request, body, scanned);
    const request = readRequest(shape.request, path, values);
    if (this.options.otherModels === 'refuse') refuseOthers(request.others);
    const requested = this.rates.hasClasses
      ? requestedClasses(values, scanned, body, this.rates.tools)
      : undefined;
    const rates =
      request.model === undefined
        ? this.rates.ofAny(requested)
        : this.rates.of([request.model, ...request.others.names], requested);
    const media = scanned.mediaParts * this.options.mediaTokens;
    const options = { ...this.options, fileBytes: form?.fileBytes ?? 0 };
    const { inputUnits, outputUnits: made } = shape.request;
    const billed = inputUnits?.count(values, textTokens, options);
    const inputTokens = Math.max(1, billed ?? textTokens + scanned.numbers + media);
    // If the API bills other units than tokens, only the part that depends on neither text nor files is certain.
    const sure = inputUnits?.count(values, 0, { ...options, fileBytes: 0 });
    const inputTextTokens = sure ?? contentTokens(body, scanned, textTokens);
    const outputUnits = made?.count(values, textTokens, options);
    return this.held({ given, request, values, rates, inputTokens, inputTextTokens, outputUnits }, undefined);
  }

  /**
   * @param outputLimit a limit below the request's own
   */
  private held(context: PricingContext, outputLimit: number | undefined): LlmPriced {
    const { given, request, rates, inputTokens } = context;
    const most = outputTokens(context, outputLimit);
    const { hold, stepTokens, whenShort } = this.options;
    // Without a stream nothing arrives before the end, so the hold cannot grow in steps.
    const steps = hold === 'step' && request.stream && given.shape.request.outputUnseen !== true;
    const first = steps ? Math.min(most, stepTokens) : most;
    const clamps = outputLimit === undefined && whenShort === 'clamp' && canClamp(context);
    const least = clamps ? Math.min(first, outputTokens(context, request.minOutputLimit)) : first;
    const items = rates.held.map((price): ChargeItem => {
      const units = price.hold(inputTokens, first);
      if (units > UNITS_MAX)
        throw new ProblemError('cost-invalid', 'The cost of the request is above the maximum.');
      const item = { quota: price.quota, units, kind: 'held' } as const;
      return least < first ? { ...item, least: price.hold(inputTokens, least) } : item;
    });
    const coding = this.codingFor(context);
    return {
      charges: charges(
        given.action,
        given.fixed.length === 0 ? items : [...given.fixed, ...items],
        rates.modelKey,
      ),
      reader: this.openReader(context, most, first, outputLimit !== undefined),
      body: this.bodyFor(context, outputLimit),
      setFields: coding === undefined ? undefined : ['accept-encoding', coding],
      answerFields: outputLimit === undefined ? undefined : ['QuotaGate-Clamped', String(outputLimit)],
      clamp: least < first ? (granted) => this.clamped(context, granted) : undefined,
    };
  }

  private clamped(context: PricingContext, granted: (quota: string) => number): LlmPriced {
    const { rates, inputTokens, request } = context;
    const allowed = rates.held.map((price) => price.outputFor(inputTokens, granted(price.quota)));
    return this.held(context, Math.floor(Math.min(...allowed) / request.answers));
  }

  private openReader(
    context: PricingContext,
    maxTokens: number,
    heldTokens: number,
    clamped: boolean,
  ): UsageReader {
    const { given, request, rates, inputTokens, inputTextTokens } = context;
    const { bytesPerToken, tokensPerSecond, hiddenReasoningTokens, stepTokens, hold, whenSpent } =
      this.options;
    return new UsageReader({
      shape: given.shape,
      rates,
      stream: request.stream,
      background: request.background,
      inputTokens,
      inputTextTokens,
      heldTokens,
      maxTokens,
      isLimitEnforced: clamped || request.outputLimit !== undefined,
      bytesPerToken,
      tokensPerSecond,
      hiddenReasoningTokens,
      stepTokens,
      extendsEarly: hold === 'step',
      removesUsage: this.asksForUsage(context),
      cutsWhenSpent: whenSpent === 'cut',
    });
  }

  private bodyFor(context: PricingContext, outputLimit: number | undefined): Buffer | undefined {
    const { given, values } = context;
    const { outputLimits, askUsage } = given.shape.request;
    const edits: Edit[] =
      outputLimit === undefined ? [] : outputLimitEdits(outputLimits, values, outputLimit);
    if (askUsage !== undefined && this.asksForUsage(context)) edits.push(editAt(values, askUsage, 'true'));
    return edits.length === 0 ? undefined : splice(given.body, edits);
  }

  /** The gateway asks for usage if the API must be asked, the client does not ask, and the upstream accepts it. */
  private asksForUsage({ given, request }: PricingContext): boolean {
    const asked = request.stream && given.shape.request.askUsage !== undefined && !request.asksUsage;
    return asked && this.options.askUsage;
  }

  /** Returns the Accept-Encoding for the upstream if it must differ from the client's. */
  private codingFor(context: PricingContext): string | undefined {
    const { hold, whenSpent } = this.options;
    const mayChangeStream = this.asksForUsage(context) || hold === 'step' || whenSpent === 'cut';
    return context.request.stream && mayChangeStream ? 'identity' : readableCodings(context.given.rawHeaders);
  }
}

/** Only the beginning of a body is checked for its script. */
const SAMPLE_BYTES = 65_536;

/**
 * Returns the tokens that the prompt certainly has: its share of the text, reduced for scripts with several bytes per
 * letter.
 */
function contentTokens(body: Buffer, { contentBytes, textBytes }: Scanned, textTokens: number): number {
  if (contentBytes === 0) return 0;
  const tokens = (textTokens * contentBytes) / textBytes;
  const sample = body.subarray(0, SAMPLE_BYTES);
  if (isAscii(sample)) return tokens;
  return tokens * (1 - denseBytes(sample, 0, sample.length) / sample.length);
}

/** Refuses a form where JSON is expected, and JSON where a form is expected: the upstream could read it differently. */
function refuseOtherBody({ bodies }: Shape, path: string, isForm: boolean): void {
  if (bodies === 'either' || isForm === (bodies === 'form')) return;
  const type = isForm ? 'application/json' : 'multipart/form-data with a boundary and no other parameter';
  throw new ProblemError('body-encoded', `Content-Type must be ${type} for ${path}.`);
}

/** Clamping edits only the request's own limit. It is impossible if another named model states its own limit. */
function canClamp({ given, request }: PricingContext): boolean {
  return given.shape.request.outputLimits.length > 0 && request.others.outputLimit === 0;
}

function outputLimitOf({ request, rates }: PricingContext): number {
  return Math.max(request.others.outputLimit, request.outputLimit ?? rates.maxOutputTokens);
}

function outputTokens(context: PricingContext, outputLimit: number | undefined): number {
  const { outputLimits, outputLimitUnknown } = context.given.shape.request;
  if (outputLimits.length === 0 && outputLimitUnknown !== true) return 0;
  const tokens = context.outputUnits ?? (outputLimit ?? outputLimitOf(context)) * context.request.answers;
  if (!Number.isSafeInteger(tokens))
    throw new ProblemError('cost-invalid', 'The cost of the request is above the maximum.');
  return tokens;
}

/** All token charges of a route read the same request and answer, so these options must be equal. */
function sharedOptions(specs: readonly LlmSpec[]): LlmOptions {
  const [first] = specs;
  if (first === undefined) throw new Error('the route has no token charge');
  const { weights: _, per: __, ...shared } = first.llm;
  for (const { quota, llm } of specs) {
    for (const [name, value] of Object.entries(shared)) {
      if (llm[name as keyof LlmOptions] !== value)
        throw new Error(`${quota}: ${name} must be the same for all charges of a route`);
    }
  }
  return first.llm;
}
