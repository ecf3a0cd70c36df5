/** Usage as OpenAI reports it, and as those do who follow it more or less. */
import type { Usage } from '../../../quota/tokens.js';
import { count, isObject, member, usageOf } from '../usage.js';

/** @param surplus where tokens belong that only the total knows of */
export function openaiUsage(raw: unknown, surplus: 'input' | 'output' = 'output'): Usage | null | undefined {
  if (raw === undefined || raw === null) return undefined;
  if (!isObject(raw)) return null;
  const inputDetails = member(raw, 'prompt_tokens_details') ?? member(raw, 'input_tokens_details');
  const outputDetails = member(raw, 'completion_tokens_details') ?? member(raw, 'output_tokens_details');
  const input = count(raw, 'prompt_tokens', 'input_tokens');
  const output = count(raw, 'completion_tokens', 'output_tokens');
  const total = count(raw, 'total_tokens');
  const audio = count(inputDetails, 'audio_tokens');
  // Mistral counts sound in the total only, and says how much it was.
  const soundOutside = audio > 0 && total - input - output === audio;
  return usageOf({
    input,
    cachedInput:
      count(inputDetails, 'cached_tokens') || count(raw, 'cached_tokens', 'prompt_cache_hit_tokens'),
    cacheWrite: count(inputDetails, 'cache_write_tokens', 'cache_creation_tokens'),
    output,
    reasoning: count(outputDetails, 'reasoning_tokens') || count(raw, 'reasoning_tokens'),
    total,
    surplus: soundOutside ? 'input' : surplus,
  });
}
