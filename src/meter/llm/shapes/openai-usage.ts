/** Usage in the format of OpenAI and of APIs that follow it. */
import { count, inputDetailsOf, type Json, outputDetailsOf, type StatedUsage, usageOf } from '../usage.js';
import type { ReadUsage } from '../usage-merge.js';

/** Tokens that only the total contains: output for answers, input for embeddings. */
export const answerUsage: ReadUsage = (raw) => openaiUsage(raw, 'output');
export const inputUsage: ReadUsage = (raw) => openaiUsage(raw, 'input');

function openaiUsage(raw: Json, surplus: 'input' | 'output'): StatedUsage | undefined {
  const inputDetails = inputDetailsOf(raw);
  const outputDetails = outputDetailsOf(raw);
  const input = count(raw, 'prompt_tokens', 'input_tokens');
  const output = count(raw, 'completion_tokens', 'output_tokens');
  const total = count(raw, 'total_tokens');
  const audio = count(inputDetails, 'audio_tokens');
  // Mistral counts sound only in the total, and reports its amount in the details.
  const soundOutside = audio > 0 && total - input - output === audio;
  const hits = count(raw, 'prompt_cache_hit_tokens');
  return usageOf({
    // Perplexity counts tokens of its sources outside the prompt and outside the total.
    input: [input, count(raw, 'citation_tokens') || 0],
    cachedInput:
      count(inputDetails, 'cached_tokens') || count(raw, 'cached_tokens', 'prompt_cache_hit_tokens'),
    cacheWrite: count(inputDetails, 'cache_write_tokens', 'cache_creation_tokens'),
    output,
    reasoning: count(outputDetails, 'reasoning_tokens') || count(raw, 'reasoning_tokens'),
    total,
    surplus: soundOutside ? 'input' : surplus,
    inputDetails: Math.max(detailed(inputDetails), hits + count(raw, 'prompt_cache_miss_tokens') || 0),
    outputDetails: detailed(outputDetails),
  });
}

/** Returns the sum over the kinds of tokens. */
function detailed(details: unknown): number {
  const kinds = ['text_tokens', 'audio_tokens', 'image_tokens'].map((kind) => count(details, kind) || 0);
  return kinds.reduce((sum, tokens) => sum + tokens, 0);
}
