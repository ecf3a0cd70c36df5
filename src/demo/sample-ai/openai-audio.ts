/** OpenAI audio: transcripts of forms, and speech, as events only. The prompt orders the transcript. */
import { type Answer, type Ask, promptOf, reported } from './answer.js';
import type { JsonObject } from './json.js';
import * as openai from './openai-common.js';
import { Refusal, type Shape, type StreamEvent, type Target } from './shape.js';

const shared = {
  api: 'openai-audio',
  framing: openai.openaiFraming,
  error: openai.openaiError,
  errorEvents: openai.openaiErrorEvents,
} as const;

export const openaiTranscripts: Shape = {
  ...shared,
  read(body, target) {
    if (body.file === undefined) throw new Refusal(400, 'There is no file.');
    return { ...asked(body, target, body.prompt), stream: body.stream === 'true' };
  },
  json: (answer) => ({ text: answer.pieces.join(''), usage: usageOf(answer, 'tokens') }),
  *events(answer): Iterable<StreamEvent> {
    const type = 'transcript.text.delta';
    for (const delta of answer.pieces) yield { name: type, data: { type, delta }, tokens: 1 };
    const text = answer.pieces.join('');
    const last = { type: 'transcript.text.done', text, usage: usageOf(answer, 'tokens') };
    yield { name: last.type, data: last };
  },
};

export const openaiSpeech: Shape = {
  ...shared,
  read(body, target) {
    if (body.stream_format !== 'sse') throw new Refusal(400, 'The sample speaks in events only.');
    return { ...asked(body, target, body.input), stream: true };
  },
  json: () => undefined,
  *events(answer): Iterable<StreamEvent> {
    const type = 'speech.audio.delta';
    for (const piece of answer.pieces)
      yield { name: type, data: { type, audio: Buffer.from(piece).toString('base64') }, tokens: 1 };
    const last = { type: 'speech.audio.done', usage: usageOf(answer) };
    yield { name: last.type, data: last };
  },
};

function asked(body: JsonObject, target: Target, text: unknown): Omit<Ask, 'stream'> {
  const model = openai.modelOf(body, target);
  return { model, body, ...promptOf(text), choices: 1, wantsUsage: false };
}

/** Transcripts report the type of their usage. */
function usageOf({ usage: { input, output }, tells }: Answer, type?: string): unknown {
  const counts = reported(tells, {
    input_tokens: input,
    output_tokens: output,
    total_tokens: input + output,
  });
  return typeof counts === 'object' && counts !== null && type !== undefined ? { type, ...counts } : counts;
}
