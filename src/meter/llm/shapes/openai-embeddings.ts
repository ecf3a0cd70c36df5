/** OpenAI embeddings: input only. */
import { compileLayout } from '../request.js';
import type { Shape } from '../shape.js';
import { openaiChat } from './openai-chat.js';
import { inputUsage } from './openai-usage.js';

export const openaiEmbeddings: Shape = {
  ...openaiChat,
  request: compileLayout({
    model: ['model'],
    outputLimits: [],
    choices: [],
    minOutputLimit: 1,
    nullable: true,
  }),
  open: (accumulator) => (document) => accumulator.observe(document.usage, inputUsage, 'final'),
};
