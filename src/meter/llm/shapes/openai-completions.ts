/** OpenAI's legacy completions: a list of prompts, each answered `best_of` times. */
import { compileLayout } from '../request.js';
import type { Shape } from '../shape.js';
import { CHAT_LAYOUT, openaiChat } from './openai-chat.js';

export const openaiCompletions: Shape = {
  ...openaiChat,
  request: compileLayout({
    ...CHAT_LAYOUT,
    outputLimits: [['max_tokens']],
    choices: [['n'], ['best_of']],
    prompts: ['prompt'],
  }),
};
