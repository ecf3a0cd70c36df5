// Every API has answers of our own, in one body and streamed: its shape is tested where there are no recordings.
import t from 'tap';
import { LLM_APIS } from '../../../src/quota/tokens.js';
import { SAMPLES } from './answers.js';

/** They do not stream; moderations cost nothing, so nothing of their answers is read. */
const WITHOUT_STREAM = new Set(['openai-embeddings', 'openai-moderations']);
const WITHOUT_ANSWERS = new Set(['openai-moderations']);

for (const api of LLM_APIS) {
  const types = SAMPLES.filter((sample) => sample.api === api).map(({ type }) => type);
  if (!WITHOUT_ANSWERS.has(api))
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
