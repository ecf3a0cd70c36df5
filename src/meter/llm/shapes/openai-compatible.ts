/**
 * Servers that follow OpenAI (vLLM, gateways, vendors). The end of the path selects the shape; validation is less
 * strict.
 */
import { compileLayout, type RequestLayout } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { CHAT_LAYOUT, openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiResponses } from './openai-responses.js';

/** llama.cpp also accepts its own names; they take precedence over OpenAI's names. */
const LLAMA_CPP: Pick<RequestLayout, 'outputLimits' | 'choices'> = {
  outputLimits: [['n_predict']],
  choices: [['n_cmpl']],
};

const compatibleChat: Shape = {
  ...openaiChat,
  request: compileLayout({
    ...CHAT_LAYOUT,
    outputLimits: [['max_tokens'], ['max_completion_tokens'], ...LLAMA_CPP.outputLimits],
    choices: [['n'], ['best_of'], ...LLAMA_CPP.choices],
    modelOptional: true,
    negativeMeansUnlimited: true,
  }),
};

const compatibleCompletions: Shape = {
  ...openaiCompletions,
  request: compileLayout({
    ...openaiCompletions.request,
    outputLimits: [['max_tokens'], ...LLAMA_CPP.outputLimits],
    choices: [['n'], ['best_of'], ...LLAMA_CPP.choices],
    modelOptional: true,
    negativeMeansUnlimited: true,
  }),
};

const compatibleResponses: Shape = {
  ...openaiResponses,
  request: compileLayout({
    ...openaiResponses.request,
    minOutputLimit: 1,
    modelOptional: true,
    negativeMeansUnlimited: true,
  }),
};

const compatibleEmbeddings: Shape = {
  ...openaiEmbeddings,
  request: compileLayout({ ...openaiEmbeddings.request, modelOptional: true }),
};

export const openaiCompatible: ShapeOf = (given) => {
  const path = plainPath(given);
  if (path.endsWith('/chat/completions')) return compatibleChat;
  if (path.endsWith('/completions')) return compatibleCompletions;
  if (path.endsWith('/responses')) return compatibleResponses;
  return path.endsWith('/embeddings') ? compatibleEmbeddings : compatibleChat;
};
