/** Vertex AI: Gemini, Claude in Anthropic's format, and the endpoint that follows OpenAI. */
import { ProblemError } from '../../../errors/catalogue.js';
import { compileLayout } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { anthropicMessages } from './anthropic-messages.js';
import { gemini, modelInPath, refuseMasks, verbOf } from './gemini.js';
import { openaiCompatible } from './openai-compatible.js';

const PUBLISHER = /\/publishers\/([^/]+)\/models\/[^/]+$/;

/** The path names the model. The body or the verb says whether the answer is a stream. */
const claude: Shape = {
  ...anthropicMessages,
  request: compileLayout({
    ...anthropicMessages.request,
    modelInPath,
    streamInPath: (path) => (verbOf(path) === 'streamRawPredict' ? true : undefined),
  }),
};

export const vertexAi: ShapeOf = (path, query, rawHeaders) => {
  const plain = plainPath(path);
  if (plain.endsWith('/endpoints/openapi/chat/completions')) return openaiCompatible(path, query, rawHeaders);
  const publisher = PUBLISHER.exec(path)?.[1] ?? 'google';
  if (publisher === 'google') return gemini(path, query, rawHeaders);
  refuseMasks(query, rawHeaders);
  const verb = verbOf(path);
  if (publisher === 'anthropic' && (verb === 'rawPredict' || verb === 'streamRawPredict')) return claude;
  throw new ProblemError(
    'cost-invalid',
    `The method ${verb} of ${publisher} has no price: it is not supported.`,
  );
};
