/** Observes one answer of a model while it passes: reads its usage, counts its text, and reports its cost. */
import type { Problem } from '../../errors/catalogue.js';
import { UNITS_MAX } from '../../quota/charge.js';
import type { TokenReport, Usage } from '../../quota/tokens.js';
import { fieldOf } from '../answer-fields.js';
import { type BodyReader, openBody } from '../content-coding.js';
import { FirstByteFrames } from '../first-byte-frames.js';
import { type Frames, type StreamFrames, WholeBody } from '../frames.js';
import { JsonValues } from '../json-values.js';
import type { AnswerReader, Cost, Costs, DecodedBytes } from '../reader.js';
import { HoldExtension } from './hold-extension.js';
import { readLarge } from './large-answer.js';
import { FACT_MEMBERS, PriceFacts } from './price-facts.js';
import { plus, type RequestRates } from './rates.js';
import { NOT_PLAIN, type Shape } from './shape.js';
import { type SseEvent, SseReader } from './sse.js';
import { StreamRewriter } from './stream-rewriter.js';
import { isObject, type Json, textBytes } from './usage.js';
import { UsageAccumulator } from './usage-accumulator.js';
import { checkedUsage, consumedUsage, type Observed } from './usage-check.js';
import { removeNullUsage, removeUsage } from './usage-removal.js';

/** What is known about the request. */
export interface UsageReaderOptions {
  readonly shape: Shape;
  readonly rates: RequestRates;
  readonly stream: boolean;
  /** The answer is completed even if no client waits for it. */
  readonly background: boolean;
  readonly inputTokens: number;
  /** The part of `inputTokens` that is certainly text of the prompt. */
  readonly inputTextTokens: number;
  readonly heldTokens: number;
  readonly maxTokens: number;
  readonly isLimitEnforced: boolean;
  readonly bytesPerToken: number;
  readonly tokensPerSecond: number;
  readonly hiddenReasoningTokens: number;
  readonly stepTokens: number;
  /** True for `hold: step`: the hold is extended before it is used up. */
  readonly extendsEarly: boolean;
  /** The gateway asked for usage, so it must remove the usage from the client's stream. */
  readonly removesUsage: boolean;
  readonly cutsWhenSpent: boolean;
}

/** Larger documents are not read, unless the API sets a higher limit. */
const DOCUMENT_BYTES_MAX = 8_388_608;

/** Larger documents are not parsed as a whole. */
const PARSED_BYTES_MAX = 262_144;

/**
 * The count is estimated from bytes, so only a count far above the output limit proves that the upstream ignores the
 * limit.
 */
const LIMIT_IGNORED_FACTOR = 2;
const LIMIT_IGNORED_TOKENS = 64;

export class UsageReader implements AnswerReader {
  readonly steps: HoldExtension | undefined;
  private readonly accumulator: UsageAccumulator;
  private readonly facts = new PriceFacts();
  private readonly read: (document: Json) => void;
  private readonly readFast: ((data: Buffer) => number) | undefined;
  private body: BodyReader | undefined;
  private decodedFor: DecodedBytes | undefined;
  /** The framing, if the answer is a stream of events. */
  private events: StreamFrames | undefined;
  private rewriter: StreamRewriter | undefined;
  /** A document was parsed. The first event is always parsed, because it names the model. */
  private begun = false;
  private errorFirst = false;
  private counts = false;
  private isFinished = false;
  private decoded: Promise<void> | undefined;
  /** The whole answer is read, except for an unterminated last event. */
  private atEnd = false;
  private wasCut = false;
  /** A worker thread is reading a large document. */
  private work: Promise<void> | undefined;
  private result: TokenReport | undefined;

  constructor(private readonly options: UsageReaderOptions) {
    this.accumulator = new UsageAccumulator(options.tokensPerSecond);
    this.accumulator.pending = options.background || options.shape.request.outputUnseen === true;
    const read = options.shape.open(this.accumulator);
    this.read = (document) => {
      const isFirst = !this.begun;
      this.begun = true;
      this.facts.read(document);
      read(document);
      // A response that failed had started, so it may have cost something.
      this.errorFirst ||= isFirst && this.accumulator.failed && document.type !== 'response.failed';
    };
    this.readFast = options.shape.openFastReader?.(this.accumulator);
    const grows = options.stream && options.maxTokens > 0 && !this.isUnseen;
    this.steps = grows ? this.growth() : undefined;
  }

  /** Another reader of the same answer gets its decoded bytes from this one. Called before `head`. */
  passDecoded(to: DecodedBytes): void {
    this.decodedFor = to;
  }

  head(status: number, fields: readonly Buffer[]): boolean {
    this.counts = status < 400;
    const type = fieldOf(fields, 'content-type');
    // Some servers send a stream with another Content-Type, or none. An error page is not a stream.
    const isSse =
      type.includes('event-stream') || (this.options.stream && status < 300 && !type.includes('json'));
    if (status < 300) this.options.shape.readHead?.(this.accumulator, (name) => fieldOf(fields, name));
    const isJson = type === '' || type.includes('json');
    const opened = this.isUnseen && !isSse && !isJson ? NO_FRAMES : this.openFrames(isSse, status);
    const frames: Frames = {
      push: (chunk) => {
        opened.push(chunk);
        this.decodedFor?.inspect(chunk);
      },
      end: () => {
        this.atEnd = true;
        opened.end();
        if (this.body?.failed === true) this.decodedFor?.undecodable();
        this.decodedFor?.decodedEnd();
      },
    };
    const coding = fieldOf(fields, 'content-encoding');
    this.body = openBody(coding, frames, (bytes) => {
      this.unread(bytes);
      this.decodedFor?.undecodable();
    });
    const isPlain = coding === '' || coding === 'identity';
    const changes =
      this.events !== undefined && isPlain && (this.options.removesUsage || this.options.cutsWhenSpent);
    if (changes) this.rewriter = new StreamRewriter(this.options.removesUsage);
    return changes;
  }

  data(chunk: Buffer): Buffer | undefined {
    if (this.wasCut) return undefined;
    const { events, rewriter } = this;
    const boundary = events?.boundary;
    this.body?.push(chunk);
    // A stream that may be cut must be cut at the end of an event, so an extension is requested only there.
    const canAsk = rewriter === undefined || events?.boundary !== boundary;
    if (canAsk && this.steps?.isOpen === true) this.steps.check(this.used());
    return rewriter === undefined || events === undefined ? chunk : rewriter.pass(chunk, events.boundary);
  }

  end(): Buffer | undefined {
    this.finish();
    return this.wasCut ? undefined : this.rewriter?.rest();
  }

  ready(): Promise<void> | undefined {
    return this.body?.ready();
  }

  progress(): number[] {
    const { rates } = this.options;
    if (!this.counts || this.isVoid()) return rates.held.map(() => 0);
    return rates.charged(this.used(), this.facts).units.map((units) => Math.min(UNITS_MAX, units));
  }

  costs(whole: boolean): Costs | Promise<Costs> {
    const decoded = this.finish();
    if (decoded === undefined && this.work === undefined) return this.settle(whole);
    return Promise.all([decoded, this.work]).then(async () => {
      // The last decoded document may itself be large.
      await this.work;
      return this.settle(whole);
    });
  }

  /** Returns whether the stream began with an API error and contained nothing else. */
  isVoid(): boolean {
    const { usage, textBytes, unreadBytes } = this.accumulator;
    const nothing = usage === undefined && textBytes + unreadBytes === 0 && this.facts.calls.size === 0;
    return this.options.stream && this.errorFirst && nothing;
  }

  report(): TokenReport {
    if (this.result !== undefined) return this.result;
    const usage = this.used();
    const { model } = this.options.rates.charged(usage, this.facts);
    return { model, usage, estimated: true };
  }

  private get isUnseen(): boolean {
    return this.options.shape.request.outputUnseen === true;
  }

  /** Resolves when the whole body is decoded; undefined: it is decoded already. */
  private finish(): Promise<void> | undefined {
    if (!this.isFinished) {
      this.isFinished = true;
      this.decoded = this.body?.end();
    }
    return this.decoded;
  }

  private settle(whole: boolean): Costs {
    const { accumulator, options } = this;
    const stated = accumulator.settled(whole && !this.wasCut) ? accumulator.usage : undefined;
    const { usage, estimated } =
      stated === undefined
        ? { usage: accumulator.pending ? this.all() : this.estimate(whole), estimated: true }
        : checkedUsage(stated, this.observed());
    if (accumulator.summed !== undefined) this.facts.read({ usage: accumulator.summed });
    this.facts.applyDefaults(options.shape, usage);
    const { toolUsage } = this.facts;
    // The answer does not report which model a tool ran, so the tool's tokens have no model name.
    const parts =
      toolUsage === undefined ? accumulator.parts : [...accumulator.parts, { model: '', ...toolUsage }];
    const all = toolUsage === undefined ? usage : plus(usage, toolUsage.usage);
    const { model, units } = options.rates.charged(all, this.facts, parts);
    this.result = { model, usage: all, estimated };
    const raws = options.rates.rawAmounts(all);
    return units.map((one, charge): Cost => {
      const cost = { units: Math.min(UNITS_MAX, one), estimated };
      return raws[charge] === cost.units ? cost : { ...cost, raw: raws[charge] };
    });
  }

  /** Returns the known consumption: the reported values, or the counted ones if larger. */
  private used(): Usage {
    return consumedUsage(this.accumulator, this.observed());
  }

  /** An answer that broke off may have used reasoning that was neither shown nor reported. */
  private estimate(whole: boolean): Usage {
    const usage = this.used();
    const { hiddenReasoningTokens, maxTokens, isLimitEnforced } = this.options;
    const isWhole = whole && !this.wasCut && !this.accumulator.failed;
    if (isWhole || hiddenReasoningTokens === 0 || maxTokens === 0) return usage;
    const more = usage.output + hiddenReasoningTokens;
    const output = isLimitEnforced ? Math.max(usage.output, Math.min(more, maxTokens)) : more;
    return { ...usage, output, reasoning: usage.reasoning + output - usage.output };
  }

  private observed(): Observed {
    const { inputTokens, inputTextTokens } = this.options;
    const { textBytes, denseBytes, unreadBytes, cutBytes } = this.accumulator;
    // A truncated event can repeat earlier text.
    const cutTokens = Math.min(this.counted(cutBytes), this.options.maxTokens);
    return {
      inputTokens,
      inputTextTokens,
      outputTokens: Math.max(this.counted(textBytes + unreadBytes), cutTokens),
      outputTextTokens: this.counted(textBytes - denseBytes),
      unseenTokens: this.isUnseen ? this.options.maxTokens : 0,
    };
  }

  /** For an answer that is completed later: the maximum cost, and at least what was reported. */
  private all(): Usage {
    const { inputTokens, maxTokens } = this.options;
    const usage = this.used();
    return {
      ...usage,
      input: Math.max(usage.input, inputTokens),
      output: Math.max(usage.output, maxTokens),
    };
  }

  private counted(bytes: number): number {
    const { bytesPerToken, maxTokens, isLimitEnforced } = this.options;
    if (maxTokens === 0) return 0;
    const counted = Math.ceil(bytes / bytesPerToken);
    const ignoresLimit = counted > maxTokens * LIMIT_IGNORED_FACTOR + LIMIT_IGNORED_TOKENS;
    return isLimitEnforced && !ignoresLimit ? Math.min(counted, maxTokens) : counted;
  }

  private growth(): HoldExtension {
    const { options } = this;
    return new HoldExtension(
      { ...options, prices: options.rates.held },
      (on) => {
        if (this.rewriter !== undefined && options.cutsWhenSpent)
          this.rewriter.keeps = on || options.removesUsage;
      },
      (problem) => this.cut(problem),
    );
  }

  /**
   * The client's last byte is the end of a complete event, because no further event was passed on while the extension
   * was pending.
   */
  private cut(problem: Problem): Buffer | undefined {
    const { events } = this;
    const isJson = events instanceof FirstByteFrames && events.isJson;
    if (!this.options.cutsWhenSpent || this.rewriter === undefined || isJson) return undefined;
    this.wasCut = true;
    this.rewriter.drop();
    const closing = this.options.shape.closing(problem, this.accumulator);
    return typeof closing === 'string' ? Buffer.from(closing) : closing;
  }

  private openFrames(isSse: boolean, status: number): Frames {
    const { shape, stream } = this.options;
    const unread = (bytes: number) => this.unread(bytes);
    if (stream && status < 300 && shape.openFrames !== undefined) {
      this.events = shape.openFrames(this.read, unread, (bytes) => this.cutOff(bytes));
      return this.events;
    }
    const frames = new FirstByteFrames({
      isStream: isSse,
      events: () => new SseReader((event) => this.event(event), unread, unread),
      json: () => this.openJson(isSse),
    });
    if (isSse) this.events = frames;
    return frames;
  }

  private openJson(isSse: boolean): Frames {
    const { stream, shape } = this.options;
    const bytesMax = shape.documentBytesMax ?? DOCUMENT_BYTES_MAX;
    const value = (document: Buffer) => this.document(document);
    const unread = (bytes: number) => this.unread(bytes);
    const cutOff = (bytes: number) => this.cutOff(bytes);
    return stream || isSse
      ? new JsonValues({ value, unread, cutOff, bytesMax, outside: 'skip', elements: true })
      : new WholeBody(value, unread, bytesMax);
  }

  private event(event: SseEvent): void {
    const rewriter = this.options.removesUsage ? this.rewriter : undefined;
    const readFast = this.begun ? this.readFast : undefined;
    const usageAt = readFast === undefined ? NOT_PLAIN : readFast(event.data);
    if (usageAt !== NOT_PLAIN) {
      if (rewriter !== undefined && usageAt > 0) removeNullUsage(event, usageAt, rewriter);
      return;
    }
    const document = parsed(event.data);
    if (!isObject(document)) {
      if (this.atEnd) this.cutOff(event.data.length);
      else if (!event.data.equals(DONE)) this.unread(event.data.length);
      return;
    }
    this.read(document);
    if (rewriter !== undefined) removeUsage(event, document, rewriter);
  }

  /** Documents are read in order, because the last value counts and large documents take time. */
  private document(body: Buffer): void {
    this.work = this.work === undefined ? this.take(body) : this.work.then(() => this.take(body));
  }

  private take(body: Buffer): Promise<void> | undefined {
    // If tool calls are priced, the whole answer must be parsed to find them.
    if (body.length > PARSED_BYTES_MAX && !this.options.rates.hasTools)
      return readLarge(body, [...this.options.shape.answerMembers, ...FACT_MEMBERS], this.read, (bytes) =>
        this.unread(bytes),
      );
    const document = parsed(body);
    if (isObject(document)) this.read(document);
    else if (Array.isArray(document)) document.filter(isObject).forEach(this.read);
    else this.unread(body.length);
    const { usage, failed, textBytes: written, unreadBytes } = this.accumulator;
    // The shape found neither usage nor text: all strings of the document count as text.
    if (usage === undefined && !failed && written + unreadBytes === 0) this.unread(textBytes(document));
    return undefined;
  }

  /** A truncated event is mostly framing. If the server sends everything at once, it can be the whole text. */
  private cutOff(bytes: number): void {
    this.accumulator.cutBytes = Math.max(this.accumulator.cutBytes, bytes - FRAME_BYTES);
  }

  /** Unreadable bytes count as text, except for images and sound. */
  private unread(bytes: number): void {
    if (this.isUnseen) return;
    this.accumulator.unreadBytes += bytes;
  }
}

/** Bytes of an event or document that are not text. */
const FRAME_BYTES = 1024;

/** Ends a stream of APIs that follow OpenAI. */
const DONE = Buffer.from('[DONE]');

/** For sound that passes unchanged. */
const NO_FRAMES: Frames = { push: () => undefined, end: () => undefined };

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
