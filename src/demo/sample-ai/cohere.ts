/** Cohere's chat v2. */
import { type Answer, type Ask, promptOf, reported, toolOf } from './answer.js';
import { countOf, type JsonObject, listOf, objectOf, textOf } from './json.js';
import { Refusal, type Shape, type StreamEvent, serverSentEvents, type Target } from './shape.js';

export const cohere: Shape = {
  api: 'cohere',
  read,
  json: (answer) => ({ id: `sample-${answer.number}`, message: messageOf(answer), ...endOf(answer) }),
  events,
  framing: (_target, crlf) => serverSentEvents(crlf),
  error: (_status, message) => ({ id: 'sample', message }),
  errorEvents: (_answer, error) => [
    event({ type: 'message-end', delta: { finish_reason: 'ERROR', error } }),
    { data: '[DONE]' },
  ],
};

function read(body: JsonObject, _target: Target): Ask {
  const model = textOf(body.model);
  const messages = listOf(body.messages);
  if (model === '') throw new Refusal(400, 'model is required');
  if (messages.length === 0) throw new Refusal(400, 'messages is required');
  const { type, json_schema: schema } = objectOf(body.response_format);
  return {
    model,
    body,
    ...promptOf(messages, body.tools),
    ceiling: countOf(body.max_tokens),
    choices: 1,
    stream: body.stream === true,
    wantsUsage: true,
    tool: toolOf(body.tools, objectOf(messages.at(-1)).role === 'tool', ({ function: tool }) => {
      const { name, parameters } = objectOf(tool);
      return { name: textOf(name), schema: parameters ?? {} };
    }),
    json: type === 'json_object' ? objectOf(schema) : undefined,
  };
}

function callOf({ number, tool }: Answer, text: string): JsonObject {
  return { id: `weather_${number}`, type: 'function', function: { name: tool, arguments: text } };
}

function messageOf(answer: Answer): JsonObject {
  const text = answer.pieces.join('');
  const thinking = answer.thoughts.join('');
  const thought = thinking === '' ? [] : [{ type: 'thinking', thinking }];
  if (answer.tool !== undefined) return { role: 'assistant', tool_calls: [callOf(answer, text)] };
  return { role: 'assistant', content: [...thought, { type: 'text', text }] };
}

/** Billed units equal the token counts. */
function endOf({ tells, short, tool, usage: { input, output, cached } }: Answer): JsonObject {
  const units = { input_tokens: input, output_tokens: output };
  const finish_reason = short ? 'MAX_TOKENS' : tool === undefined ? 'COMPLETE' : 'TOOL_CALL';
  return {
    finish_reason,
    usage: reported(tells, { billed_units: units, tokens: units, cached_tokens: cached }),
  };
}

function event(data: { readonly type: string } & JsonObject, tokens = 0): StreamEvent {
  return { name: data.type, data, tokens };
}

function* events(answer: Answer): Iterable<StreamEvent> {
  const { thoughts, pieces, tool, number } = answer;
  const start = { role: 'assistant', content: [] };
  yield event({ id: `sample-${number}`, type: 'message-start', delta: { message: start } });
  if (thoughts.length > 0) yield* block(0, 'thinking', thoughts);
  if (tool === undefined) yield* block(1, 'text', pieces);
  else {
    const message = { tool_calls: callOf(answer, '') };
    yield event({ type: 'tool-call-start', index: 0, delta: { message } });
    for (const piece of pieces) {
      const delta = { message: { tool_calls: { function: { arguments: piece } } } };
      yield event({ type: 'tool-call-delta', index: 0, delta }, 1);
    }
    yield event({ type: 'tool-call-end', index: 0 });
  }
  yield event({ type: 'message-end', id: `sample-${number}`, delta: endOf(answer) });
  yield { data: '[DONE]' };
}

function* block(index: number, type: 'text' | 'thinking', pieces: readonly string[]): Iterable<StreamEvent> {
  const content = { type, [type]: '' };
  yield event({ type: 'content-start', index, delta: { message: { content } } });
  for (const piece of pieces)
    yield event({ type: 'content-delta', index, delta: { message: { content: { [type]: piece } } } }, 1);
  yield event({ type: 'content-end', index });
}
