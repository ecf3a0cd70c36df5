// Every API has answers of our own, in one body and streamed: its shape is tested where there are no recordings.
import t from 'tap';
import { LLM_APIS } from '../../../src/quota/tokens.js';
import { SAMPLES } from './answers.js';

const WITHOUT_STREAM = new Set(['openai-embeddings']);
/** Moderations cost nothing, so no answer of theirs is read; the others' answers are in images-audio.test.ts. */
const ELSEWHERE = new Set(['openai-moderations', 'openai-images', 'openai-audio']);

for (const api of LLM_APIS.filter((one) => !ELSEWHERE.has(one))) {
  const types = SAMPLES.filter((sample) => sample.api === api).map(({ type }) => type);
  t.ok(
    types.some((type) => type.startsWith('application/json')),
    `${api}: one body`,
  );
  if (!WITHOUT_STREAM.has(api))
    t.ok(
      types.some((type) => !type.startsWith('application/json')),
      `${api}: a stream`,
    );
}
