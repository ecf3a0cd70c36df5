/** Calls of each API that cost nothing: they only count tokens, or the provider does not bill them. */
import type { LlmApi } from '../../quota/tokens.js';

const FREE: Partial<Readonly<Record<LlmApi, RegExp>>> = {
  'openai-responses': /\/responses\/input_tokens$/,
  'azure-openai': /\/responses\/input_tokens$/,
  'openai-compatible': /\/(?:responses\/input_tokens|messages\/count_tokens)$/,
  'anthropic-messages': /\/messages\/count_tokens$/,
  gemini: /:countTokens$/,
  'vertex-ai': /(?::countTokens|\/count-tokens:rawPredict)$/,
  bedrock: /\/count-tokens$/,
  'openai-moderations': /\/moderations$/,
};

/**
 * @param path in the API's exact spelling: another spelling may be another call
 */
export function isFreeCall(api: LlmApi, path: string): boolean {
  return FREE[api]?.test(path) ?? false;
}
