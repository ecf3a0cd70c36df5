/** OpenAI chat completions. */
import { type RequestForm, requestForm } from '../request.js';
import type { Shape } from '../shape.js';
import { isObject, type Json, listOf, member } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import { openSkim } from './chat-skim.js';
import { openaiClosing, openaiError } from './openai-error.js';
import { answerUsage, inputUsage } from './openai-usage.js';

export const CHAT_FORM: RequestForm = {
  model: ['model'],
  stream: ['stream'],
  ceilings: [['max_completion_tokens'], ['max_tokens']],
  choices: [['n']],
  askUsage: ['stream_options', 'include_usage'],
  ceilingLeast: 1,
  nullable: true,
};

/** Streams and JSON bodies have the same members; legacy completions have `text` in place of a message. */
export function openChat(seen: UsageAccumulator): (document: Json) => void {
  let finished = false;
  return (document) => {
    const choices = listOf(document.choices);
    for (const choice of choices) {
      if (!isObject(choice)) continue;
      if (typeof choice.finish_reason === 'string') finished = true;
      seen.write(choice.delta);
      seen.write(choice.message);
      seen.write(choice.text);
    }
    if (isObject(document.error)) seen.failed = true;
    const raw = usageIn(document, choices);
    // With neither it is a list of embeddings: all of it is input. Of a large answer the choices are not read.
    const answers = Array.isArray(document.choices) || member(raw, 'completion_tokens') !== undefined;
    seen.observe(
      raw,
      answers ? answerUsage : inputUsage,
      finished || choices.length === 0 ? 'final' : 'so far',
    );
  };
}

/** Groq has it in `x_groq` too, Moonshot in its choice. */
function usageIn(document: Json, choices: readonly unknown[]): unknown {
  if (isObject(document.usage)) return document.usage;
  for (const choice of choices) {
    const usage = member(choice, 'usage');
    if (isObject(usage)) return usage;
  }
  return member(document.x_groq, 'usage') ?? document.usage;
}

export const openaiChat: Shape = {
  request: requestForm(CHAT_FORM),
  open: openChat,
  openSkim,
  answerMembers: ['usage', 'x_groq', 'error'],
  streamsArrays: false,
  error: openaiError,
  closing: openaiClosing,
};
