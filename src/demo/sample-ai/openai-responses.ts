/** OpenAI Responses. */
import { type Answer, type Ask, promptOf, reported, toolOf } from './answer.js';
import { type JsonObject, listOf, objectOf, textOf } from './json.js';
import * as openai from './openai-common.js';
import { Refusal, type Shape, type StreamEvent, type Target } from './shape.js';

export const openaiResponses: Shape = {
  api: 'openai-responses',
  read,
  json: (answer, { body }) =>
    body.background === true ? response(answer, 'queued') : response(answer, statusOf(answer)),
  events,
  framing: openai.openaiFraming,
  error: openai.openaiError,
  errorEvents: (answer, message) => {
    const error = { code: 'server_error', message };
    const data = { type: 'response.failed', response: { ...response(answer, 'failed'), error } };
    return [{ name: data.type, data }];
  },
};

function read(body: JsonObject, target: Target): Ask {
  if (body.input === undefined) throw new Refusal(400, "Missing required parameter: 'input'.");
  const { format } = objectOf(body.text);
  const answered = objectOf(listOf(body.input).at(-1)).type === 'function_call_output';
  return {
    model: openai.modelOf(body, target),
    body,
    ...promptOf(body.instructions, body.input, body.tools),
    ceiling: openai.ceilingOf(body.max_output_tokens, 'max_output_tokens'),
    choices: 1,
    stream: body.stream === true,
    wantsUsage: true,
    tool: toolOf(body.tools, answered || body.tool_choice === 'none', ({ name, parameters }) => ({
      name: textOf(name),
      schema: parameters ?? {},
    })),
    json: jsonWanted(objectOf(format)),
  };
}

function jsonWanted({ type, schema }: JsonObject): JsonObject | undefined {
  if (type === 'json_schema') return objectOf(schema);
  return type === 'json_object' ? {} : undefined;
}

type Status = 'queued' | 'in_progress' | 'completed' | 'incomplete' | 'failed';

function statusOf({ short }: Answer): Status {
  return short ? 'incomplete' : 'completed';
}

function response(answer: Answer, status: Status): JsonObject {
  const ended = status === 'completed' || status === 'incomplete';
  return {
    id: `resp_sample_${answer.number}`,
    object: 'response',
    created_at: answer.createdSeconds,
    status,
    background: status === 'queued',
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    model: answer.model,
    output: ended ? itemsOf(answer) : [],
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    usage: ended ? reported(answer.tells, usageOf(answer)) : null,
  };
}

function usageOf({ usage: { input, cached, written, output, reasoning } }: Answer): JsonObject {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}

function itemsOf(answer: Answer): JsonObject[] {
  const item = itemOf(answer, answer.pieces.join(''), statusOf(answer));
  return answer.thoughts.length === 0 ? [item] : [reasoningOf(answer), item];
}

function reasoningOf({ number }: Answer): JsonObject {
  return { id: `rs_${number}`, type: 'reasoning', summary: [] };
}

function itemOf(answer: Answer, text: string, status: Status): JsonObject {
  const { number, tool: name } = answer;
  if (name !== undefined)
    return {
      id: `fc_${number}`,
      type: 'function_call',
      status,
      call_id: `call_${number}`,
      name,
      arguments: text,
    };
  const content = status === 'in_progress' ? [] : [partOf(text)];
  return { id: `msg_${number}`, type: 'message', status, role: 'assistant', content };
}

function partOf(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

function* events(answer: Answer): Iterable<StreamEvent> {
  let sequence = 0;
  const event = (name: string, members: JsonObject, tokens = 0): StreamEvent => {
    const data = { type: name, sequence_number: sequence, ...members };
    sequence += 1;
    return { name, data, tokens };
  };
  yield event('response.created', { response: response(answer, 'in_progress') });
  yield event('response.in_progress', { response: response(answer, 'in_progress') });
  const output_index = answer.thoughts.length === 0 ? 0 : 1;
  if (output_index === 1) {
    const members = { output_index: 0, item: reasoningOf(answer) };
    yield event('response.output_item.added', members);
    yield event('response.output_item.done', members);
  }
  const item = itemOf(answer, '', 'in_progress');
  yield event('response.output_item.added', { output_index, item });
  const place = { item_id: item.id, output_index };
  yield* answer.tool === undefined ? message(answer, place, event) : call(answer, place, event);
  const done = itemOf(answer, answer.pieces.join(''), statusOf(answer));
  yield event('response.output_item.done', { output_index, item: done });
  const status = statusOf(answer);
  yield event(`response.${status}`, { response: response(answer, status) });
}

type Make = (name: string, members: JsonObject, tokens?: number) => StreamEvent;

function* message({ pieces }: Answer, item: JsonObject, event: Make): Iterable<StreamEvent> {
  const place = { ...item, content_index: 0 };
  const text = pieces.join('');
  yield event('response.content_part.added', { ...place, part: partOf('') });
  for (const delta of pieces) yield event('response.output_text.delta', { ...place, delta, logprobs: [] }, 1);
  yield event('response.output_text.done', { ...place, text, logprobs: [] });
  yield event('response.content_part.done', { ...place, part: partOf(text) });
}

function* call({ pieces, tool }: Answer, place: JsonObject, event: Make): Iterable<StreamEvent> {
  for (const delta of pieces) yield event('response.function_call_arguments.delta', { ...place, delta }, 1);
  const members = { ...place, name: tool, arguments: pieces.join('') };
  yield event('response.function_call_arguments.done', members);
}
