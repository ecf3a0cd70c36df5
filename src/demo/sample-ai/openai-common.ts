/** Shared parts of the OpenAI APIs. */
import { type Answer, reported, type Usage, usageAfter } from './answer.js';
import { countOf, type JsonObject, objectOf } from './json.js';
import { type Framing, Refusal, type StreamEvent, serverSentEvents, type Target } from './shape.js';

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'invalid_request_error',
  404: 'invalid_request_error',
  429: 'requests',
};

export function openaiError(status: number, message: string): unknown {
  const type = ERROR_TYPES[status] ?? 'server_error';
  const code = status === 429 ? 'rate_limit_exceeded' : null;
  return { error: { message, type, param: null, code } };
}

export function openaiErrorEvents(_answer: Answer, message: string): StreamEvent[] {
  return [{ data: openaiError(500, message) }];
}

export function openaiFraming(_target: Target, crlf: boolean): Framing {
  return serverSentEvents(crlf);
}

const DONE: StreamEvent = { data: '[DONE]' };

/** Chat's and completions' usage object. */
export function completionUsage({ input, cached, written, output, reasoning }: Usage): JsonObject {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** Writes the chunks of a stream, each with its usage. */
export class Chunks {
  private sent = 0;

  constructor(
    private readonly answer: Answer,
    /** Members of every chunk. */
    private readonly base: JsonObject,
  ) {}

  token(choice: JsonObject): StreamEvent {
    this.sent += 1;
    return { ...this.chunk(choice), tokens: 1 };
  }

  chunk(choice: JsonObject, last = false): StreamEvent {
    return { data: { ...this.base, choices: [choice], ...this.usageOn(last) } };
  }

  /** Sent after the last choice. */
  *end(): Iterable<StreamEvent> {
    const { tells, wantsUsage, usage } = this.answer;
    const extra = wantsUsage || tells === 'unasked' || tells === 'each' || tells === 'shrinks';
    if (extra && tells !== 'merged' && tells !== 'none')
      yield { data: { ...this.base, choices: [], usage: reported(tells, completionUsage(usage)) } };
    yield DONE;
  }

  private usageOn(last: boolean): JsonObject {
    const { answer } = this;
    const { tells, wantsUsage, usage } = answer;
    if (tells === 'none') return {};
    if (tells === 'merged' && last) return { usage: completionUsage(usage) };
    if (tells === 'each' || tells === 'shrinks')
      return { usage: completionUsage(usageAfter(answer, this.sent)) };
    return wantsUsage ? { usage: null } : {};
  }
}

/** `n` and similar members: how many answers at once. */
export function choicesOf(value: unknown): number {
  const count = countOf(value) ?? 1;
  if (count < 1 || count > 128) throw new Refusal(400, 'Invalid n: it must be between 1 and 128.');
  return count;
}

/** Undefined if there is no output limit. */
export function ceilingOf(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const count = countOf(value);
  if (count === undefined || count < 1) throw new Refusal(400, `Invalid ${name}: it must be an integer ≥ 1.`);
  return count;
}

/** The model; in Azure the deployment in the path. */
export function modelOf(body: JsonObject, { path }: Target): string {
  const [, deployment] = /\/deployments\/([^/]+)\//.exec(path) ?? [];
  const model = deployment ?? body.model;
  if (typeof model !== 'string' || model === '') throw new Refusal(400, 'you must provide a model parameter');
  return model;
}

/** Whether usage is requested in a stream; older versions of Azure do not support `stream_options`. */
export function wantsUsageOf(body: JsonObject, { query }: Target): boolean {
  const version = query.get('api-version') ?? '9999';
  if (body.stream_options === undefined || body.stream_options === null) return false;
  if (body.stream !== true) throw new Refusal(400, 'stream_options is only allowed when stream is enabled.');
  if (version < '2024-09-01')
    throw new Refusal(400, 'Unrecognized request argument supplied: stream_options');
  return objectOf(body.stream_options).include_usage === true;
}
