/** Servers that follow OpenAI (vLLM, gateways, vendors): distinguished by the path's end, and taken less strictly. */
import { type RequestForm, requestForm } from '../request.js';
import { plainPath, type Shape, type ShapeOf } from '../shape.js';
import { CHAT_FORM, openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import { openaiEmbeddings } from './openai-embeddings.js';
import { openaiResponses } from './openai-responses.js';

/** llama.cpp takes its own names beside those of OpenAI, and before them. */
const LLAMA_CPP: Pick<RequestForm, 'ceilings' | 'choices'> = {
  ceilings: [['n_predict']],
  choices: [['n_cmpl']],
};

const compatibleChat: Shape = {
  ...openaiChat,
  request: requestForm({
    ...CHAT_FORM,
    ceilings: [['max_tokens'], ['max_completion_tokens'], ...LLAMA_CPP.ceilings],
    choices: [['n'], ['best_of'], ...LLAMA_CPP.choices],
    modelOptional: true,
    negativeCeilings: true,
  }),
};

const compatibleCompletions: Shape = {
  ...openaiCompletions,
  request: requestForm({
    ...openaiCompletions.request,
    ceilings: [['max_tokens'], ...LLAMA_CPP.ceilings],
    choices: [['n'], ['best_of'], ...LLAMA_CPP.choices],
    modelOptional: true,
    negativeCeilings: true,
  }),
};

const compatibleResponses: Shape = {
  ...openaiResponses,
  request: requestForm({
    ...openaiResponses.request,
    ceilingLeast: 1,
    modelOptional: true,
    negativeCeilings: true,
  }),
};

const compatibleEmbeddings: Shape = {
  ...openaiEmbeddings,
  request: requestForm({ ...openaiEmbeddings.request, modelOptional: true }),
};

export const openaiCompatible: ShapeOf = (given) => {
  const path = plainPath(given);
  if (path.endsWith('/chat/completions')) return compatibleChat;
  if (path.endsWith('/completions')) return compatibleCompletions;
  if (path.endsWith('/responses')) return compatibleResponses;
  return path.endsWith('/embeddings') ? compatibleEmbeddings : compatibleChat;
};
