/** OpenAI's older completions. */
import { type Answer, type Ask, promptOf, reported } from './answer.js';
import type { JsonObject } from './json.js';
import * as openai from './openai-common.js';
import type { Shape, StreamEvent, Target } from './shape.js';

/** The API's default output limit. */
const CEILING = 16;

export const openaiCompletions: Shape = {
  api: 'openai-completions',
  read,
  json,
  events,
  framing: openai.openaiFraming,
  error: openai.openaiError,
  errorEvents: openai.openaiErrorEvents,
};

function read(body: JsonObject, target: Target): Ask {
  const prompts = Array.isArray(body.prompt) && typeof body.prompt[0] === 'string' ? body.prompt.length : 1;
  return {
    model: openai.modelOf(body, target),
    body,
    ...promptOf(body.prompt),
    ceiling: openai.ceilingOf(body.max_tokens, 'max_tokens') ?? CEILING,
    choices: openai.choicesOf(body.n) * prompts,
    stream: body.stream === true,
    wantsUsage: openai.wantsUsageOf(body, target),
  };
}

function base({ number, createdSeconds, model }: Answer): JsonObject {
  return { id: `cmpl-sample-${number}`, object: 'text_completion', created: createdSeconds, model };
}

function choice(index: number, text: string, finish: string | null): JsonObject {
  return { text, index, logprobs: null, finish_reason: finish };
}

function finishOf({ short }: Answer): string {
  return short ? 'length' : 'stop';
}

function json(answer: Answer): unknown {
  const text = answer.pieces.join('');
  const choices = Array.from({ length: answer.choices }, (_, at) => choice(at, text, finishOf(answer)));
  return { ...base(answer), choices, usage: reported(answer.tells, openai.completionUsage(answer.usage)) };
}

function* events(answer: Answer): Iterable<StreamEvent> {
  const chunks = new openai.Chunks(answer, base(answer));
  for (const piece of answer.pieces)
    for (let index = 0; index < answer.choices; index += 1) yield chunks.token(choice(index, piece, null));
  for (let index = 0; index < answer.choices; index += 1)
    yield chunks.chunk(choice(index, '', finishOf(answer)), index === answer.choices - 1);
  yield* chunks.end();
}
