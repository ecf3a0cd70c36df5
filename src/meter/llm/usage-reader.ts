/** Looks on while one answer of a model passes: reads its usage, counts its text, and tells what it cost. */
import type { Problem } from '../../errors/catalogue.js';
import { UNITS_MAX } from '../../quota/charge.js';
import type { TokenReport, Usage } from '../../quota/tokens.js';
import { fieldOf } from '../answer-fields.js';
import { type BodyReader, openBody } from '../content-coding.js';
import { FirstByteFrames } from '../first-byte-frames.js';
import { type Frames, type StreamFrames, WholeBody } from '../frames.js';
import { JsonValues } from '../json-values.js';
import type { AnswerReader, Cost, Costs } from '../reader.js';
import { takeOutNull, takeOutUsage } from './asked-usage.js';
import { FACT_MEMBERS, Facts } from './facts.js';
import { HoldExtension } from './hold-extension.js';
import { readLarge } from './large-answer.js';
import { plus, type RequestRates } from './rates.js';
import { NOT_SKIMMED, type Shape } from './shape.js';
import { type SseEvent, SseReader } from './sse.js';
import { StreamRewriter } from './stream-rewriter.js';
import { isObject, type Json, textBytes } from './usage.js';
import { UsageAccumulator } from './usage-accumulator.js';
import { checkedUsage, consumedUsage, type Passed } from './usage-check.js';

/** What is known of the request whose answer it is. */
export interface UsageReaderOptions {
  readonly shape: Shape;
  readonly rates: RequestRates;
  readonly stream: boolean;
  /** It is made to its end even if it is not waited for. */
  readonly later: boolean;
  readonly inputTokens: number;
  /** Of these, text that is sure to be the prompt's. */
  readonly inputTextTokens: number;
  readonly heldTokens: number;
  readonly mostTokens: number;
  readonly bound: boolean;
  readonly bytesPerToken: number;
  readonly tokensPerSecond: number;
  readonly hiddenReasoningTokens: number;
  readonly stepTokens: number;
  /** More is asked for before it is needed: `hold: step`. */
  readonly ahead: boolean;
  /** The gateway asked for usage, so it is taken out again. */
  readonly asked: boolean;
  readonly cuts: boolean;
}

/** Documents larger than this are not read, unless the API has larger ones. */
const DOCUMENT_BYTES_MAX = 8_388_608;

/** Documents larger than this are not parsed in whole. */
const PARSED_BYTES_MAX = 262_144;

/** Our count is by bytes: only one far above the ceiling shows that the upstream does not keep to it. */
const BEYOND_DOUBT = 2;
const BEYOND_DOUBT_TOKENS = 64;

export class UsageReader implements AnswerReader {
  readonly steps: HoldExtension | undefined;
  private readonly seen: UsageAccumulator;
  private readonly facts = new Facts();
  private readonly read: (document: Json) => void;
  private readonly skim: ((data: Buffer) => number) | undefined;
  private body: BodyReader | undefined;
  /** The frames, where the stream comes in events. */
  private events: StreamFrames | undefined;
  private rewriter: StreamRewriter | undefined;
  /** A document was parsed: the first event of a stream is, for it names the model. */
  private begun = false;
  private errorFirst = false;
  private counts = false;
  private isFinished = false;
  private decoded: Promise<void> | undefined;
  /** All that came is read, but for an event without an end. */
  private atEnd = false;
  private wasCut = false;
  /** A large document is being read elsewhere. */
  private work: Promise<void> | undefined;
  private result: TokenReport | undefined;

  constructor(private readonly terms: UsageReaderOptions) {
    this.seen = new UsageAccumulator(terms.tokensPerSecond);
    this.seen.pending = terms.later || terms.shape.request.outputUnseen === true;
    const read = terms.shape.open(this.seen);
    this.read = (document) => {
      const isFirst = !this.begun;
      this.begun = true;
      this.facts.read(document);
      read(document);
      // A response that failed was begun, and may have cost something.
      this.errorFirst ||= isFirst && this.seen.failed && document.type !== 'response.failed';
    };
    this.skim = terms.shape.openSkim?.(this.seen);
    const grows = terms.stream && terms.mostTokens > 0 && !this.isUnseen;
    this.steps = grows ? this.growth() : undefined;
  }

  head(status: number, fields: readonly Buffer[]): boolean {
    this.counts = status < 400;
    const type = fieldOf(fields, 'content-type');
    // Some servers give a stream another type, or none; an error page is no stream.
    const isSse =
      type.includes('event-stream') || (this.terms.stream && status < 300 && !type.includes('json'));
    if (status < 300) this.terms.shape.readHead?.(this.seen, (name) => fieldOf(fields, name));
    const isJson = type === '' || type.includes('json');
    const opened = this.isUnseen && !isSse && !isJson ? NO_FRAMES : this.openFrames(isSse, status);
    const frames: Frames = {
      push: (chunk) => opened.push(chunk),
      end: () => {
        this.atEnd = true;
        opened.end();
      },
    };
    const coding = fieldOf(fields, 'content-encoding');
    this.body = openBody(coding, frames, (bytes) => this.unread(bytes));
    const isPlain = coding === '' || coding === 'identity';
    const changes = this.events !== undefined && isPlain && (this.terms.asked || this.terms.cuts);
    if (changes) this.rewriter = new StreamRewriter(this.terms.asked);
    return changes;
  }

  data(chunk: Buffer): Buffer | undefined {
    if (this.wasCut) return undefined;
    const { events, rewriter } = this;
    const boundary = events?.boundary;
    this.body?.push(chunk);
    // Where the stream can be cut, only when an event has just ended: it must be cut there.
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
    const { rates } = this.terms;
    if (!this.counts || this.isVoid()) return rates.held.map(() => 0);
    return rates.charged(this.used(), this.facts).units.map((units) => Math.min(UNITS_MAX, units));
  }

  costs(whole: boolean): Costs | Promise<Costs> {
    const decoded = this.finish();
    if (decoded === undefined && this.work === undefined) return this.settle(whole);
    return Promise.all([decoded, this.work]).then(async () => {
      // What was decoded last may be large itself.
      await this.work;
      return this.settle(whole);
    });
  }

  /** A stream that begins with its API's error, and brought nothing. */
  isVoid(): boolean {
    const { usage, textBytes, unreadBytes } = this.seen;
    const nothing = usage === undefined && textBytes + unreadBytes === 0 && this.facts.calls.size === 0;
    return this.terms.stream && this.errorFirst && nothing;
  }

  report(): TokenReport {
    if (this.result !== undefined) return this.result;
    const usage = this.used();
    const { model } = this.terms.rates.charged(usage, this.facts);
    return { model, usage, estimated: true };
  }

  private get isUnseen(): boolean {
    return this.terms.shape.request.outputUnseen === true;
  }

  /** Resolves when all of the body is decoded; undefined: it is. */
  private finish(): Promise<void> | undefined {
    if (!this.isFinished) {
      this.isFinished = true;
      this.decoded = this.body?.end();
    }
    return this.decoded;
  }

  private settle(whole: boolean): Costs {
    const { seen, terms } = this;
    const stated = seen.settled(whole && !this.wasCut) ? seen.usage : undefined;
    const { usage, estimated } =
      stated === undefined
        ? { usage: seen.pending ? this.all() : this.estimate(whole), estimated: true }
        : checkedUsage(stated, this.passed());
    if (seen.summed !== undefined) this.facts.read({ usage: seen.summed });
    this.facts.take(terms.shape, usage);
    const { besides } = this.facts;
    // A tool's own tokens are the model's that it ran, which is not reported.
    const parts = besides === undefined ? seen.parts : [...seen.parts, { model: '', ...besides }];
    const all = besides === undefined ? usage : plus(usage, besides.usage);
    const { model, units } = terms.rates.charged(all, this.facts, parts);
    this.result = { model, usage: all, estimated };
    return units.map((one): Cost => ({ units: Math.min(UNITS_MAX, one), estimated }));
  }

  /** What is known to be consumed: the provider's word as far as it goes, and what was counted beyond. */
  private used(): Usage {
    return consumedUsage(this.seen, this.passed());
  }

  /** Of an answer that broke off, some reasoning may have been neither shown nor reported. */
  private estimate(whole: boolean): Usage {
    const usage = this.used();
    const { hiddenReasoningTokens, mostTokens, bound } = this.terms;
    const isWhole = whole && !this.wasCut && !this.seen.failed;
    if (isWhole || hiddenReasoningTokens === 0 || mostTokens === 0) return usage;
    const more = usage.output + hiddenReasoningTokens;
    const output = bound ? Math.max(usage.output, Math.min(more, mostTokens)) : more;
    return { ...usage, output, reasoning: usage.reasoning + output - usage.output };
  }

  private passed(): Passed {
    const { inputTokens, inputTextTokens } = this.terms;
    const { textBytes, denseBytes, unreadBytes, cutBytes } = this.seen;
    // What was cut can repeat the text before it.
    const cutTokens = Math.min(this.counted(cutBytes), this.terms.mostTokens);
    return {
      inputTokens,
      inputTextTokens,
      outputTokens: Math.max(this.counted(textBytes + unreadBytes), cutTokens),
      outputTextTokens: this.counted(textBytes - denseBytes),
      unseenTokens: this.isUnseen ? this.terms.mostTokens : 0,
    };
  }

  /** An answer that is made later: all that it may cost, and no less than what it has stated. */
  private all(): Usage {
    const { inputTokens, mostTokens } = this.terms;
    const usage = this.used();
    return {
      ...usage,
      input: Math.max(usage.input, inputTokens),
      output: Math.max(usage.output, mostTokens),
    };
  }

  private counted(bytes: number): number {
    const { bytesPerToken, mostTokens, bound } = this.terms;
    if (mostTokens === 0) return 0;
    const counted = Math.ceil(bytes / bytesPerToken);
    const beyond = counted > mostTokens * BEYOND_DOUBT + BEYOND_DOUBT_TOKENS;
    return bound && !beyond ? Math.min(counted, mostTokens) : counted;
  }

  private growth(): HoldExtension {
    const { terms } = this;
    return new HoldExtension(
      { ...terms, prices: terms.rates.held },
      (on) => {
        if (this.rewriter !== undefined && terms.cuts) this.rewriter.keeps = on || terms.asked;
      },
      (problem) => this.cut(problem),
    );
  }

  /** The client stands behind a whole event, since none was begun while the answer was awaited. */
  private cut(problem: Problem): Buffer | undefined {
    const { events } = this;
    const isJson = events instanceof FirstByteFrames && events.isJson;
    if (!this.terms.cuts || this.rewriter === undefined || isJson) return undefined;
    this.wasCut = true;
    this.rewriter.drop();
    const closing = this.terms.shape.closing(problem, this.seen);
    return typeof closing === 'string' ? Buffer.from(closing) : closing;
  }

  private openFrames(isSse: boolean, status: number): Frames {
    const { shape, stream } = this.terms;
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
    const { stream, shape } = this.terms;
    const bytesMax = shape.documentBytesMax ?? DOCUMENT_BYTES_MAX;
    const value = (document: Buffer) => this.document(document);
    const unread = (bytes: number) => this.unread(bytes);
    const cutOff = (bytes: number) => this.cutOff(bytes);
    return stream || isSse
      ? new JsonValues({ value, unread, cutOff, bytesMax, outside: 'skip', elements: true })
      : new WholeBody(value, unread, bytesMax);
  }

  private event(event: SseEvent): void {
    const rewriter = this.terms.asked ? this.rewriter : undefined;
    const skim = this.begun ? this.skim : undefined;
    const usageAt = skim === undefined ? NOT_SKIMMED : skim(event.data);
    if (usageAt !== NOT_SKIMMED) {
      if (rewriter !== undefined && usageAt > 0) takeOutNull(event, usageAt, rewriter);
      return;
    }
    const document = parsed(event.data);
    if (!isObject(document)) {
      if (this.atEnd) this.cutOff(event.data.length);
      else if (!event.data.equals(DONE)) this.unread(event.data.length);
      return;
    }
    this.read(document);
    if (rewriter !== undefined) takeOutUsage(event, document, rewriter);
  }

  /** One behind the other: the last word counts, and a large one takes its time. */
  private document(body: Buffer): void {
    this.work = this.work === undefined ? this.take(body) : this.work.then(() => this.take(body));
  }

  private take(body: Buffer): Promise<void> | undefined {
    // Calls of tools stand among the answer's items.
    if (body.length > PARSED_BYTES_MAX && !this.terms.rates.hasTools)
      return readLarge(body, [...this.terms.shape.answerMembers, ...FACT_MEMBERS], this.read, (bytes) =>
        this.unread(bytes),
      );
    const document = parsed(body);
    if (isObject(document)) this.read(document);
    else if (Array.isArray(document)) document.filter(isObject).forEach(this.read);
    else this.unread(body.length);
    const { usage, failed, textBytes: written, unreadBytes } = this.seen;
    // An answer that the shape knows nothing of: all that it says counts.
    if (usage === undefined && !failed && written + unreadBytes === 0) this.unread(textBytes(document));
    return undefined;
  }

  /** What the end has cut is mostly the frame of a bit of text; of servers that send all at once, it can be all of the text. */
  private cutOff(bytes: number): void {
    this.seen.cutBytes = Math.max(this.seen.cutBytes, bytes - FRAME_BYTES);
  }

  /** What cannot be read is taken for text, all of it; images and sound are none. */
  private unread(bytes: number): void {
    if (this.isUnseen) return;
    this.seen.unreadBytes += bytes;
  }
}

/** Of an event or a document, so much is not its text. */
const FRAME_BYTES = 1024;

/** The end of a stream, to those who follow OpenAI. */
const DONE = Buffer.from('[DONE]');

/** Of sound that passes as it is. */
const NO_FRAMES: Frames = { push: () => undefined, end: () => undefined };

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
