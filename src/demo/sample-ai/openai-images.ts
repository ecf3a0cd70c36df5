/** OpenAI images: made from a text, or edited (a form). An image is text in base64, and its tokens are those of the text. */
import { type Answer, type Ask, promptOf, reported } from './answer.js';
import { countOf, type JsonObject } from './json.js';
import * as openai from './openai-common.js';
import type { Shape, StreamEvent, Target } from './shape.js';

export const openaiImages: Shape = {
  api: 'openai-images',
  read,
  json,
  events,
  framing: openai.openaiFraming,
  error: openai.openaiError,
  errorEvents: openai.openaiErrorEvents,
};

/** Form fields have no number type. */
function read(body: JsonObject, target: Target): Ask {
  const n = typeof body.n === 'string' ? countOf(Number(body.n)) : body.n;
  return {
    model: openai.modelOf(body, target),
    body,
    ...promptOf(body.prompt),
    choices: openai.choicesOf(n),
    stream: body.stream === true || body.stream === 'true',
    wantsUsage: false,
  };
}

function usageOf({ usage: { input, output }, tells }: Answer): unknown {
  return reported(tells, {
    input_tokens: input,
    output_tokens: output,
    total_tokens: input + output,
    input_tokens_details: { text_tokens: input, image_tokens: 0 },
  });
}

function imageOf({ pieces }: Answer): string {
  return Buffer.from(pieces.join('')).toString('base64');
}

function json(answer: Answer): unknown {
  const data = Array.from({ length: answer.choices }, () => ({ b64_json: imageOf(answer) }));
  return { created: answer.createdSeconds, data, usage: usageOf(answer) };
}

function* events(answer: Answer): Iterable<StreamEvent> {
  const image = { created_at: answer.createdSeconds, b64_json: imageOf(answer) };
  const partial = { type: 'image_generation.partial_image', partial_image_index: 0, ...image };
  yield { name: partial.type, data: partial };
  const last = { type: 'image_generation.completed', ...image, usage: usageOf(answer) };
  yield { name: last.type, data: last, tokens: answer.usage.output };
}
