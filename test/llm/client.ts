/** What every official client is made to do. */
export interface Target {
  /** Without a path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly apiKey?: string;
}

/** What the client made of an answer. */
export interface Seen {
  readonly text: string;
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly reasoning: number;
}

export interface Streaming {
  readonly maxTokens?: number;
  readonly signal?: AbortSignal;
  /** Reported of each piece of text. */
  readonly onText?: (text: string) => void;
  /** Left out: yes, where the API has the choice. */
  readonly wantsUsage?: boolean;
}

export interface Client {
  readonly name: string;
  readonly api: Api;
  whole(prompt: string, maxTokens?: number): Promise<Seen>;
  /** Left out: the API has no streams. */
  readonly stream?: (prompt: string, options?: Streaming) => Promise<Seen>;
  /** The city that the tool `weather` was called with; streamed. */
  readonly call?: (prompt: string) => Promise<unknown>;
  /** An object with a city, by the client's own way to JSON. */
  readonly json?: (prompt: string) => Promise<unknown>;
  /** The error is of the client's own class for a refusal. */
  isRefused(error: unknown): boolean;
  /** HTTP tries of a call that is refused for good. */
  readonly tries: number;
  /** The API does not tell what came from a cache, and does not count reasoning apart. */
  readonly plainUsage?: boolean;
  /** The API has no ceiling of its output. */
  readonly noCeiling?: boolean;
}

export type Api =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'openai-embeddings'
  | 'openai-images'
  | 'openai-audio'
  | 'azure-openai'
  | 'anthropic-messages'
  | 'gemini'
  | 'ollama'
  | 'cohere'
  | 'vertex-ai'
  | 'bedrock';

export const MODEL = 'sample-1';
export const CITY = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
export const KEY = 'sk-nobody';
