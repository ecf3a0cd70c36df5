/** What the config says of charges by tokens. */
import type { LlmApi } from '../../quota/tokens.js';

/** Decimal texts or numbers; read exactly. */
export interface Weights {
  readonly input: number | string;
  readonly cachedInput: number | string;
  readonly cacheWrite: number | string;
  readonly output: number | string;
  readonly reasoning: number | string;
  /** Left out: as the class that it is a part of. */
  readonly cacheWrite1h?: number | string | undefined;
  readonly audioInput?: number | string | undefined;
  readonly imageInput?: number | string | undefined;
  readonly audioOutput?: number | string | undefined;
  readonly imageOutput?: number | string | undefined;
}

/** One charge of a route. All token charges of a route agree in everything but quota, weights and per. */
export interface LlmSpec {
  readonly quota: string;
  readonly llm: LlmTerms;
}

export interface LlmTerms {
  readonly api: LlmApi;
  /** `ceiling`: all that the request may produce is held before; `step`: so much at a time, while output comes. */
  readonly hold: 'ceiling' | 'step';
  readonly stepTokens: number;
  readonly whenShort: 'refuse' | 'clamp';
  readonly whenSpent: 'finish' | 'cut';
  readonly bytesPerToken: number;
  /** Charged on top of an answer that broke off without its usage: reasoning that its text does not show. */
  readonly hiddenReasoningTokens: number;
  /** Of one image, sound or file. */
  readonly mediaTokens: number;
  /** What one second of sound counts. */
  readonly tokensPerSecond: number;
  /** Bytes of uploaded sound that are taken for a second. */
  readonly audioBytesPerSecond: number;
  /** Streams are asked for their usage where the API has to be asked. */
  readonly askUsage: boolean;
  /** Whether a request may name models beside its own: to fall back on, for routers and tools. */
  readonly otherModels: 'price' | 'refuse';
  readonly tokenizer: 'bytes' | 'o200k_base' | 'cl100k_base';
  readonly weights: Weights;
  /** Tokens for one unit: 1, or 1000 for credits per 1,000 tokens. */
  readonly per: number;
}

export interface Model {
  readonly match: string;
  readonly multiplier: number | string;
  readonly maxOutputTokens: number;
  /** Multipliers by the service tier that the answer tells, and by its speed. */
  readonly tiers?: Readonly<Record<string, number | string>> | undefined;
  readonly speeds?: Readonly<Record<string, number | string>> | undefined;
  /** Multipliers of a request whose input has more tokens. */
  readonly longContext?:
    | { readonly above: number; readonly input: number | string; readonly output: number | string }
    | undefined;
  /** Weighted tokens of one call of each tool that the provider runs. */
  readonly calls?: Readonly<Record<string, number | string>> | undefined;
}

/** In the file's order; the first pattern that matches wins (`*`: any run of characters). */
export type Models = readonly Model[];
