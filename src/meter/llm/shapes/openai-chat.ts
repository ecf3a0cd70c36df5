/** OpenAI chat completions. */
import { compileLayout, type RequestLayout } from '../request.js';
import type { Shape } from '../shape.js';
import { isObject, type Json, listOf, member } from '../usage.js';
import type { UsageAccumulator } from '../usage-accumulator.js';
import { openFastReader } from './chat-fast-reader.js';
import { openaiClosing, openaiError } from './openai-error.js';
import { answerUsage, inputUsage } from './openai-usage.js';

export const CHAT_LAYOUT: RequestLayout = {
  model: ['model'],
  stream: ['stream'],
  outputLimits: [['max_completion_tokens'], ['max_tokens']],
  choices: [['n']],
  askUsage: ['stream_options', 'include_usage'],
  minOutputLimit: 1,
  nullable: true,
};

/** Streams and JSON bodies have the same members. Legacy completions have `text` instead of a message. */
export function openChat(accumulator: UsageAccumulator): (document: Json) => void {
  let finished = false;
  return (document) => {
    const choices = listOf(document.choices);
    for (const choice of choices) {
      if (!isObject(choice)) continue;
      if (typeof choice.finish_reason === 'string') finished = true;
      accumulator.write(choice.delta);
      accumulator.write(choice.message);
      accumulator.write(choice.text);
    }
    if (isObject(document.error)) accumulator.failed = true;
    const raw = usageIn(document, choices);
    // With neither choices nor `completion_tokens`, the body is a list of embeddings: all tokens are input. The choices
    // of a large answer are not read.
    const answers = Array.isArray(document.choices) || member(raw, 'completion_tokens') !== undefined;
    accumulator.observe(
      raw,
      answers ? answerUsage : inputUsage,
      finished || choices.length === 0 ? 'final' : 'so far',
    );
  };
}

/** Groq also reports usage in `x_groq`, Moonshot in the choice. */
function usageIn(document: Json, choices: readonly unknown[]): unknown {
  if (isObject(document.usage)) return document.usage;
  for (const choice of choices) {
    const usage = member(choice, 'usage');
    if (isObject(usage)) return usage;
  }
  return member(document.x_groq, 'usage') ?? document.usage;
}

export const openaiChat: Shape = {
  request: compileLayout(CHAT_LAYOUT),
  open: openChat,
  openFastReader,
  answerMembers: ['usage', 'x_groq', 'error'],
  streamsArrays: false,
  error: openaiError,
  closing: openaiClosing,
};
