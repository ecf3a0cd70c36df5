/** OpenAI embeddings: input only. */
import { requestForm } from '../request.js';
import type { Shape } from '../shape.js';
import { openaiChat } from './openai-chat.js';
import { inputUsage } from './openai-usage.js';

export const openaiEmbeddings: Shape = {
  ...openaiChat,
  request: requestForm({ model: ['model'], ceilings: [], choices: [], ceilingLeast: 1, nullable: true }),
  open: (seen) => (document) => seen.observe(document.usage, inputUsage, 'final'),
};
