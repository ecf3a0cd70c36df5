/** Tokens of AI APIs: types that config, meter, settlement and metrics share. */

/** The supported APIs. */
export const LLM_APIS = [
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'openai-embeddings',
  'azure-openai',
  'anthropic-messages',
  'gemini',
  'openai-compatible',
  'ollama',
  'cohere',
  'vertex-ai',
  'bedrock',
  'openai-moderations',
  'openai-images',
  'openai-audio',
] as const;

export type LlmApi = (typeof LLM_APIS)[number];

/** Tokens of one answer. `input` includes cached and cache write, `output` includes reasoning. */
export interface Usage {
  readonly input: number;
  readonly cachedInput: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
}

export interface TokenReport {
  /** The pattern of the config that priced the answer; '' if there is none. */
  readonly model: string;
  readonly usage: Usage;
  readonly estimated: boolean;
}
