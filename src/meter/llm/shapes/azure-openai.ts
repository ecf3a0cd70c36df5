/** Azure OpenAI: the shapes of OpenAI, with the deployment in the path. */
import { parameters } from '../query.js';
import { compileLayout, modelAt } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { CHAT_LAYOUT, openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiResponses } from './openai-responses.js';

/** Azure ignores the case of paths. */
const DEPLOYMENT = /\/deployments\/([^/]+)\//i;

/** Versions from this one on accept `stream_options` and `max_completion_tokens`; older versions refuse them. */
const VERSION_WITH_USAGE = '2024-09-01';

/** The deployment in the path decides which model runs, whatever the body says. */
const modelInPath = modelAt(DEPLOYMENT);

const withDeployment = (shape: Shape, more: Partial<Shape['request']> = {}): Shape => ({
  ...shape,
  request: compileLayout({ ...shape.request, ...more, modelInPath }),
});

/** For versions that cannot report usage in streams: their tokens are counted. */
const withoutUsage = (shape: Shape, outputLimits: Shape['request']['outputLimits']): Shape => {
  const { askUsage: _, ...request } = shape.request;
  return withDeployment({ ...shape, request: compileLayout(request) }, { outputLimits });
};

const chat = withDeployment(openaiChat);
const oldChat = withoutUsage(openaiChat, [...CHAT_LAYOUT.outputLimits].reverse());
const completions = withDeployment(openaiCompletions);
const oldCompletions = withoutUsage(openaiCompletions, openaiCompletions.request.outputLimits);
const embeddings = withDeployment(openaiEmbeddings);
const responses = withDeployment(openaiResponses);

export const azureOpenai: ShapeOf = (given, query) => {
  const path = plainPath(given);
  if (path.endsWith('/embeddings')) return embeddings;
  if (path.endsWith('/responses')) return responses;
  const isNew = supportsUsage(path, query);
  if (path.endsWith('/completions') && !path.endsWith('/chat/completions'))
    return isNew ? completions : oldCompletions;
  return isNew ? chat : oldChat;
};

/** One matching version is enough, because it is unknown which of several versions the upstream reads. */
function supportsUsage(path: string, query: string): boolean {
  if (path.includes('/openai/v1/')) return true;
  return parameters(query).some(([name, version]) => {
    if (name !== 'api-version') return false;
    return /^\d{4}-\d\d-\d\d/.test(version) ? version >= VERSION_WITH_USAGE : version !== '';
  });
}
