/** OpenAI embeddings: input only. */
import { compileLayout, INPUT_ONLY } from '../request.js';
import type { Shape } from '../shape.js';
import { openaiChat } from './openai-chat.js';
import { inputUsage } from './openai-usage.js';

export const openaiEmbeddings: Shape = {
  ...openaiChat,
  request: compileLayout(INPUT_ONLY),
  open: (accumulator) => (document) => accumulator.observe(document.usage, inputUsage, 'final'),
};
