/** OpenAI moderations: they are among the free calls, and nothing else of such a route has a price. */
import { ProblemError } from '../../../errors/catalogue.js';
import type { ShapeOf } from '../shape.js';
import { openaiEmbeddings } from './openai-embeddings.js';

export const openaiModerations: ShapeOf = (path) => {
  // Only its errors are asked for.
  if (path === '' || path.endsWith('/moderations')) return openaiEmbeddings;
  throw new ProblemError('cost-invalid', `${path} has no price here: only /moderations has, and is free.`);
};
