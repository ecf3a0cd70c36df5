/** OpenAI's legacy completions: a list of prompts, each answered `best_of` times. */
import { requestForm } from '../request.js';
import type { Shape } from '../shape.js';
import { CHAT_FORM, openaiChat } from './openai-chat.js';

export const openaiCompletions: Shape = {
  ...openaiChat,
  request: requestForm({
    ...CHAT_FORM,
    ceilings: [['max_tokens']],
    choices: [['n'], ['best_of']],
    prompts: ['prompt'],
  }),
};
