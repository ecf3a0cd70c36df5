/** Azure OpenAI: the shapes of OpenAI, with the deployment in the path. */
import { parameters } from '../query.js';
import { requestForm } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { CHAT_FORM, openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiResponses } from './openai-responses.js';

/** Azure reads paths in any case. */
const DEPLOYMENT = /\/deployments\/([^/]+)\//i;

/** From here on `stream_options` and `max_completion_tokens` are known; older versions refuse what they do not know. */
const VERSION_WITH_USAGE = '2024-09-01';

/** The deployment decides which model runs, whatever the body says. */
function modelInPath(path: string): string | undefined {
  const name = DEPLOYMENT.exec(path)?.[1];
  if (name === undefined) return undefined;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

const onAzure = (shape: Shape, more: Partial<Shape['request']> = {}): Shape => ({
  ...shape,
  request: requestForm({ ...shape.request, ...more, modelInPath }),
});

/** Without asking for usage: streams are counted then. */
const unasked = (shape: Shape, ceilings: Shape['request']['ceilings']): Shape => {
  const { askUsage: _, ...request } = shape.request;
  return onAzure({ ...shape, request: requestForm(request) }, { ceilings });
};

const chat = onAzure(openaiChat);
const oldChat = unasked(openaiChat, [...CHAT_FORM.ceilings].reverse());
const completions = onAzure(openaiCompletions);
const oldCompletions = unasked(openaiCompletions, openaiCompletions.request.ceilings);
const embeddings = onAzure(openaiEmbeddings);
const responses = onAzure(openaiResponses);

export const azureOpenai: ShapeOf = (given, query) => {
  const path = plainPath(given);
  if (path.endsWith('/embeddings')) return embeddings;
  if (path.endsWith('/responses')) return responses;
  const isNew = knowsUsage(path, query);
  if (path.endsWith('/completions') && !path.endsWith('/chat/completions'))
    return isNew ? completions : oldCompletions;
  return isNew ? chat : oldChat;
};

/** Of several versions one is enough: which of them is read upstream cannot be known. */
function knowsUsage(path: string, query: string): boolean {
  if (path.includes('/openai/v1/')) return true;
  return parameters(query).some(([name, version]) => {
    if (name !== 'api-version') return false;
    return /^\d{4}-\d\d-\d\d/.test(version) ? version >= VERSION_WITH_USAGE : version !== '';
  });
}
