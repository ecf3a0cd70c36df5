/** The table of shapes: one row per API. */

import type { LlmApi } from '../../../quota/tokens.js';
import type { Shape, ShapeOf } from '../shape.js';
import { anthropicApi } from './anthropic-messages.js';
import { azureOpenai } from './azure-openai.js';
import { bedrock } from './bedrock.js';
import { cohere } from './cohere.js';
import { gemini } from './gemini.js';
import { ollama } from './ollama.js';
import { openaiAudio } from './openai-audio.js';
import { openaiChat } from './openai-chat.js';
import { openaiCompatible } from './openai-compatible.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiImages } from './openai-images.js';
import { openaiModerations } from './openai-moderations.js';
import { openaiResponses } from './openai-responses.js';
import { vertexAi } from './vertex-ai.js';

const always =
  (shape: Shape): ShapeOf =>
  () =>
    shape;

export const SHAPES: Readonly<Record<LlmApi, ShapeOf>> = {
  'openai-chat': always(openaiChat),
  'openai-completions': always(openaiCompletions),
  'openai-responses': always(openaiResponses),
  'openai-embeddings': always(openaiEmbeddings),
  'azure-openai': azureOpenai,
  'anthropic-messages': anthropicApi,
  gemini,
  'openai-compatible': openaiCompatible,
  ollama,
  cohere,
  'vertex-ai': vertexAi,
  bedrock,
  'openai-moderations': openaiModerations,
  'openai-images': openaiImages,
  'openai-audio': openaiAudio,
};

/** APIs with some calls that are forms. */
export const FORM_APIS: ReadonlySet<LlmApi> = new Set<LlmApi>(['openai-images', 'openai-audio']);
