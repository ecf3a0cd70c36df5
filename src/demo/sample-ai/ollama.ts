/** Ollama's own API: chat and generate, streamed as JSON lines unless `stream` is false. */
import { type Answer, type Ask, promptOf, reported, toolOf, type Usage } from './answer.js';
import { countOf, type JsonObject, listOf, objectOf, textOf } from './json.js';
import { type Framing, Refusal, type Shape, type StreamEvent, type Target } from './shape.js';

const jsonLines: Framing = {
  contentType: 'application/x-ndjson',
  event: ({ data }) => `${JSON.stringify(data)}\n`,
  comment: '',
  close: '',
};

export const ollama: Shape = {
  api: 'ollama',
  read,
  json: (answer, ask) => ({
    ...part(answer, ask, { text: answer.pieces.join(''), thinking: answer.thoughts.join('') }),
    ...endOf(answer),
  }),
  events,
  framing: () => jsonLines,
  error: (_status, error) => ({ error }),
  errorEvents: (_answer, error) => [{ data: { error } }],
};

function read(body: JsonObject, _target: Target): Ask {
  const model = textOf(body.model);
  if (model === '') throw new Refusal(400, 'model is required');
  const messages = listOf(body.messages);
  const answered = objectOf(messages.at(-1)).role === 'tool';
  return {
    model,
    body,
    ...promptOf(body.system, messages, body.prompt, body.tools),
    ceiling: countOf(objectOf(body.options).num_predict),
    choices: 1,
    stream: body.stream !== false,
    wantsUsage: true,
    tool: toolOf(body.tools, answered, ({ function: tool }) => {
      const { name, parameters } = objectOf(tool);
      return { name: textOf(name), schema: parameters ?? {} };
    }),
    json: typeof body.format === 'object' && body.format !== null ? objectOf(body.format) : undefined,
  };
}

interface PartText {
  readonly text?: string;
  readonly thinking?: string;
}

function part(
  { model, tool, short }: Answer,
  { body }: Ask,
  { text = '', thinking = '' }: PartText,
): JsonObject {
  const base = { model, created_at: '2026-01-05T10:11:12.123456789Z' };
  const thought = thinking === '' ? {} : { thinking };
  if (body.messages === undefined) return { ...base, response: text, ...thought, done: false };
  if (tool === undefined)
    return { ...base, message: { role: 'assistant', content: text, ...thought }, done: false };
  // A call that was cut off by the output limit is omitted.
  const calls =
    text === '' || short ? {} : { tool_calls: [{ function: { name: tool, arguments: JSON.parse(text) } }] };
  return { ...base, message: { role: 'assistant', content: '', ...thought, ...calls }, done: false };
}

function countersOf({ input, output }: Usage): JsonObject {
  return { prompt_eval_count: input, prompt_eval_duration: 1_000, eval_count: output, eval_duration: 1_000 };
}

function endOf({ tells, usage, short }: Answer): JsonObject {
  const counters = objectOf(reported(tells, countersOf(usage)));
  return {
    done: true,
    done_reason: short ? 'length' : 'stop',
    total_duration: 5_000,
    load_duration: 1_000,
    ...counters,
  };
}

function* events(answer: Answer, ask: Ask): Iterable<StreamEvent> {
  const { thoughts, pieces, tool } = answer;
  for (const thought of thoughts) yield { data: part(answer, ask, { thinking: thought }), tokens: 1 };
  if (tool === undefined) for (const text of pieces) yield { data: part(answer, ask, { text }), tokens: 1 };
  else yield { data: part(answer, ask, { text: pieces.join('') }), tokens: pieces.length };
  yield { data: { ...part(answer, ask, {}), ...endOf(answer) } };
}
