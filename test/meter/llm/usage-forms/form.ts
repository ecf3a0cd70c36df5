/** What a form of usage objects is, and the forms that several APIs share. */
import type { Api } from '../../../../src/meter/llm/index.js';
import { events } from '../answers.js';

export type Side = 'input' | 'output' | 'total';
export type Counters = Record<string, unknown>;

/** Counters of one object that add up, by their dotted path: one account of what the answer cost. */
export type Source = Readonly<Record<string, Side>>;

export interface Counts {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

export interface Answered {
  readonly body: string | Buffer;
  readonly type: string;
  /** Further fields of its head. */
  readonly fields?: readonly string[];
}

export interface UsageForm {
  readonly name: string;
  readonly api: Api;
  readonly path?: string;
  readonly query?: string;
  readonly isStream?: boolean;
  readonly hasOutput?: boolean;
  /** The output is no text: images or sound. */
  readonly isUnseen?: boolean;
  readonly headers?: readonly string[];
  /** Tokens of the estimate that do not come from text. */
  readonly furtherEstimate?: number;
  /** What one figure costs, where it counts no tokens. */
  readonly figureUnits?: number;
  request(prompt: string): object;
  usage(counts: Counts): Counters;
  /** Each says how much of a side there was; the largest counts. */
  readonly sources: readonly Source[];
  /** Objects that count only where the counter of the same name in the other one cannot be used. */
  readonly standIns?: Readonly<Record<string, string>>;
  /** Half of what passed, where the unit is no token. */
  inputLeast?(prompt: string): number;
  /** `usages`: one for each time that the answer states it. */
  answer(text: string, usages: readonly Counters[]): Answered;
}

export const json = (value: unknown): Answered => ({
  body: JSON.stringify(value),
  type: 'application/json',
});
export const stream = (list: readonly unknown[]): Answered => ({
  body: events(list),
  type: 'text/event-stream',
});
export const lines = (list: readonly unknown[]): Answered => ({
  body: list.map((one) => `${JSON.stringify(one)}\n`).join(''),
  type: 'application/x-ndjson',
});
export const last = (usages: readonly Counters[]): Counters => usages.at(-1) ?? {};

export const chatRequest = (prompt: string) => ({
  model: 'm',
  messages: [{ role: 'user', content: prompt }],
});
export const chatUsage = ({ input, cached, output, reasoning }: Counts): Counters => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
  completion_tokens_details: { reasoning_tokens: reasoning },
});
export const inputOnlyUsage = ({ input }: Counts): Counters => ({
  prompt_tokens: input,
  total_tokens: input,
});
export const CHAT_SOURCES: readonly Source[] = [
  { prompt_tokens: 'input', completion_tokens: 'output', total_tokens: 'total' },
];

export const responsesUsage = ({ input, cached, output, reasoning }: Counts): Counters => ({
  input_tokens: input,
  input_tokens_details: { cached_tokens: cached },
  output_tokens: output,
  output_tokens_details: { reasoning_tokens: reasoning },
  total_tokens: input + output,
});
export const RESPONSES_SOURCES: readonly Source[] = [
  { input_tokens: 'input', output_tokens: 'output', total_tokens: 'total' },
];

export const messagesUsage = ({ input, cached, output, reasoning }: Counts): Counters => ({
  input_tokens: input - cached,
  cache_read_input_tokens: cached,
  output_tokens: output,
  output_tokens_details: { thinking_tokens: reasoning },
});
export const MESSAGES_SOURCES: readonly Source[] = [
  { input_tokens: 'input', cache_read_input_tokens: 'input', output_tokens: 'output' },
];
export const messagesAnswer = (text: string, usages: readonly Counters[]) => ({
  type: 'message',
  content: [{ type: 'text', text }],
  usage: last(usages),
});
export const messagesEvents = (text: string, usages: readonly Counters[]) => [
  { type: 'message_start', message: { usage: usages[0] } },
  { type: 'content_block_delta', delta: { type: 'text_delta', text } },
  ...usages.map((usage) => ({ type: 'message_delta', delta: {}, usage })),
];

export const geminiUsage = ({ input, cached, output, reasoning }: Counts): Counters => ({
  promptTokenCount: input,
  cachedContentTokenCount: cached,
  candidatesTokenCount: output - reasoning,
  thoughtsTokenCount: reasoning,
  totalTokenCount: input + output,
});
