/** Vertex AI: Gemini unchanged, and Claude with its model in the path. */
import { anthropicMessages } from './anthropic.js';
import { gemini } from './gemini.js';
import type { Shape } from './shape.js';

export const vertexGemini: Shape = { ...gemini, api: 'vertex-ai' };

export const vertexClaude: Shape = {
  ...anthropicMessages,
  api: 'vertex-ai',
  read(body, target) {
    const [, model] = /\/models\/([^/:]+):/.exec(target.path) ?? [];
    return anthropicMessages.read({ ...body, model }, target);
  },
};
