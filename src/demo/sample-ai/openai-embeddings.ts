/** OpenAI embeddings, and Azure's: no output, and no stream. */
import { type Answer, type Ask, promptOf, reported } from './answer.js';
import { countOf, type JsonObject, listOf } from './json.js';
import * as openai from './openai-common.js';
import { Refusal, type Shape, type Target } from './shape.js';

const DIMENSIONS = 8;

export const openaiEmbeddings: Shape = {
  api: 'openai-embeddings',
  read,
  json,
  events: () => [],
  framing: openai.openaiFraming,
  error: openai.openaiError,
  errorEvents: openai.openaiErrorEvents,
};

function inputsOf(input: unknown): readonly unknown[] {
  return Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
}

/** Inputs may be texts, or lists of token numbers. */
function read(body: JsonObject, target: Target): Ask {
  const inputs = inputsOf(body.input);
  if (inputs.length === 0 || inputs[0] === undefined) throw new Refusal(400, "Invalid 'input': empty.");
  const numbers = inputs.reduce<number>((sum, one) => sum + listOf(one).length, 0);
  const { prompt, promptTokens } = promptOf(inputs);
  return {
    model: openai.modelOf(body, target),
    body,
    prompt,
    promptTokens: numbers > 0 ? numbers : promptTokens,
    ceiling: 0,
    choices: 1,
    stream: false,
    wantsUsage: false,
  };
}

function json(answer: Answer, { body }: Ask): unknown {
  const dimensions = countOf(body.dimensions) ?? DIMENSIONS;
  const data = inputsOf(body.input).map((_, index) => {
    const vector = Array.from({ length: dimensions }, (_, at) => Math.cos(index + at));
    const embedding =
      body.encoding_format === 'base64'
        ? Buffer.from(Float32Array.from(vector).buffer).toString('base64')
        : vector;
    return { object: 'embedding', index, embedding };
  });
  const { input } = answer.usage;
  const usage = reported(answer.tells, { prompt_tokens: input, total_tokens: input });
  return { object: 'list', data, model: answer.model, usage };
}
