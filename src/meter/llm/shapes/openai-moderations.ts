/** OpenAI moderations: they cost nothing. */
import type { Shape } from '../shape.js';
import { openaiEmbeddings } from './openai-embeddings.js';

export const openaiModerations: Shape = { ...openaiEmbeddings, isFree: true };
