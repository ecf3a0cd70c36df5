/** OpenAI moderations are free calls. Any other path of such a route has no price and is refused. */
import { ProblemError } from '../../../errors/catalogue.js';
import type { ShapeOf } from '../shape.js';
import { openaiEmbeddings } from './openai-embeddings.js';

export const openaiModerations: ShapeOf = (path) => {
  // Only the error format of this shape is used.
  if (path === '' || path.endsWith('/moderations')) return openaiEmbeddings;
  throw new ProblemError(
    'cost-invalid',
    `${path} has no price: only /moderations is supported, and it is free.`,
  );
};
