/** One request and its answer, priced by the meter of an API. */
import type { Api, LlmOptions } from '../../../src/meter/llm/index.js';
import type { Usage } from '../../../src/quota/tokens.js';
import { events } from './answers.js';
import { meterOf, PATHS, pass, priced } from './drive.js';

interface Call {
  readonly request?: object;
  readonly path?: string;
  readonly stream?: boolean;
  readonly more?: Partial<LlmOptions>;
}

/** What one answer is charged. An array is a stream, of which each entry is an event. */
export async function charged(api: Api, answer: unknown, call: Call = {}) {
  const meter = meterOf(api, call.more);
  const stream = Array.isArray(answer);
  const request = { model: 'm', max_tokens: 100_000, stream, ...call.request };
  const path = call.path ?? PATHS[api];
  const one = await priced(meter, api === 'gemini' ? (call.request ?? {}) : request, path);
  const body = Buffer.from(stream ? events(answer) : JSON.stringify(answer));
  const { costs, report } = await pass(one, body, {
    type: stream ? 'text/event-stream' : 'application/json',
  });
  await meter.close();
  return { units: costs[0]?.units, estimated: costs[0]?.estimated, usage: report?.usage as Usage };
}
