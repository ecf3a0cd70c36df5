/** The configuration of token charges. */
import type { LlmApi } from '../../quota/tokens.js';
import type { EncodingName } from './tokenizer.js';

/** Decimal strings or numbers; both are read exactly. */
export interface Weights {
  readonly input: number | string;
  readonly cachedInput: number | string;
  readonly cacheWrite: number | string;
  readonly output: number | string;
  readonly reasoning: number | string;
  /** Absent: same weight as the class it belongs to. */
  readonly cacheWrite1h?: number | string | undefined;
  readonly audioInput?: number | string | undefined;
  readonly imageInput?: number | string | undefined;
  readonly audioOutput?: number | string | undefined;
  readonly imageOutput?: number | string | undefined;
}

/** One charge of a route. All token charges of a route have the same options except quota, weights and per. */
export interface LlmSpec {
  readonly quota: string;
  readonly llm: LlmOptions;
}

export interface LlmOptions {
  readonly api: LlmApi;
  /**
   * `ceiling`: the maximum output of the request is held in advance; `step`: a fixed amount at a time, while output
   * arrives.
   */
  readonly hold: 'ceiling' | 'step';
  readonly stepTokens: number;
  readonly whenShort: 'refuse' | 'clamp';
  readonly whenSpent: 'finish' | 'cut';
  readonly bytesPerToken: number;
  /** Added to the charge of an answer that broke off without usage, for reasoning that its text does not show. */
  readonly hiddenReasoningTokens: number;
  /** Tokens per image, sound or file. */
  readonly mediaTokens: number;
  /** Tokens per second of sound. */
  readonly tokensPerSecond: number;
  /** Bytes of uploaded sound that count as one second. */
  readonly audioBytesPerSecond: number;
  /** The gateway asks for usage in streams if the API must be asked. */
  readonly askUsage: boolean;
  /** Whether a request may name further models: fallbacks, routers, tools. */
  readonly otherModels: 'price' | 'refuse';
  readonly tokenizer: 'bytes' | EncodingName;
  readonly weights: Weights;
  /** Tokens per unit: 1, or 1000 for credits per 1,000 tokens. */
  readonly per: number;
}

export interface Model {
  readonly match: string;
  readonly multiplier: number | string;
  readonly maxOutputTokens: number;
  /** Multipliers by the reported service tier and speed. */
  readonly tiers?: Readonly<Record<string, number | string>> | undefined;
  readonly speeds?: Readonly<Record<string, number | string>> | undefined;
  /** Multipliers for requests with more input tokens than `above`. */
  readonly longContext?:
    | { readonly above: number; readonly input: number | string; readonly output: number | string }
    | undefined;
  /** Weighted tokens per call of each tool that the provider runs. */
  readonly calls?: Readonly<Record<string, number | string>> | undefined;
}

/** In the order of the config; the first matching pattern wins (`*`: any characters). */
export type Models = readonly Model[];
