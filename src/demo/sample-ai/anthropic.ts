/** Anthropic messages. */
import { type Answer, type Ask, promptOf, reported, toolOf } from './answer.js';
import { countOf, type JsonObject, listOf, objectOf, textOf } from './json.js';
import { Refusal, type Shape, type StreamEvent, serverSentEvents, type Target } from './shape.js';

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

export const anthropicMessages: Shape = {
  api: 'anthropic-messages',
  read,
  json: (answer) => ({ ...messageOf(answer), content: contentOf(answer), ...endOf(answer) }),
  events,
  framing: (_target, crlf) => serverSentEvents(crlf),
  error,
  errorEvents: (_answer, message) => [{ name: 'error', data: error(529, message) }],
};

function error(status: number, message: string): unknown {
  const type = ERROR_TYPES[status] ?? 'api_error';
  return { type: 'error', error: { type, message }, request_id: 'req_sample' };
}

function read(body: JsonObject, _target: Target): Ask {
  const ceiling = countOf(body.max_tokens);
  if (ceiling === undefined || ceiling < 1) throw new Refusal(400, 'max_tokens: Field required');
  if (textOf(body.model) === '') throw new Refusal(400, 'model: Field required');
  const messages = listOf(body.messages);
  const parts = listOf(objectOf(messages.at(-1)).content);
  const answered = parts.some((part) => objectOf(part).type === 'tool_result');
  const { format } = objectOf(body.output_config);
  return {
    model: textOf(body.model),
    body,
    ...promptOf(body.system, messages, body.tools),
    ceiling,
    choices: 1,
    stream: body.stream === true,
    wantsUsage: true,
    tool: toolOf(
      body.tools,
      answered || objectOf(body.tool_choice).type === 'none',
      ({ name, input_schema }) => ({ name: textOf(name), schema: input_schema ?? {} }),
    ),
    json: format === undefined ? undefined : objectOf(objectOf(format).schema),
  };
}

/** `input_tokens` excludes tokens that are read from or written to the cache. */
function usageOf({ usage: { input, cached, written, reasoning } }: Answer, output: number): JsonObject {
  return {
    input_tokens: input - cached - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    cache_creation: { ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    ...(reasoning > 0 && output > 1 ? { output_tokens_details: { thinking_tokens: reasoning } } : {}),
    service_tier: 'standard',
  };
}

function messageOf({ number, model }: Answer): JsonObject {
  const id = `msg_sample_${number}`;
  return {
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

function stopOf({ short, tool }: Answer): JsonObject {
  const stop_reason = short ? 'max_tokens' : tool === undefined ? 'end_turn' : 'tool_use';
  return { stop_reason, stop_sequence: null };
}

function endOf(answer: Answer): JsonObject {
  return { ...stopOf(answer), usage: reported(answer.tells, usageOf(answer, answer.usage.output)) };
}

function contentOf(answer: Answer): JsonObject[] {
  const thinking = answer.thoughts.join('');
  const thought = thinking === '' ? [] : [{ type: 'thinking', thinking, signature: 'sample' }];
  const text = answer.pieces.join('');
  if (answer.tool === undefined) return [...thought, { type: 'text', text }];
  return [...thought, { ...toolUse(answer), input: whole(text) }];
}

function toolUse({ number, tool }: Answer): JsonObject {
  return { type: 'tool_use', id: `toolu_${number}`, name: tool, input: {} };
}

/** Arguments that were cut off by the output limit are omitted. */
function whole(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function* events(answer: Answer): Iterable<StreamEvent> {
  const { tells, thoughts, tool, pieces, usage } = answer;
  const early = tells === 'shrinks' ? 2 * usage.output : Math.min(1, usage.output);
  const message = { ...messageOf(answer), usage: reported(tells, usageOf(answer, early)) };
  yield event({ type: 'message_start', message });
  let index = 0;
  if (thoughts.length > 0) {
    const deltas = thoughts.map((thinking) => ({ type: 'thinking_delta', thinking }));
    const last = { type: 'signature_delta', signature: 'sample' };
    yield* block(index, { type: 'thinking', thinking: '', signature: '' }, { deltas, last });
    index += 1;
  }
  yield event({ type: 'ping' });
  const start = tool === undefined ? { type: 'text', text: '' } : toolUse(answer);
  const deltas = pieces.map((piece) =>
    tool === undefined
      ? { type: 'text_delta', text: piece }
      : { type: 'input_json_delta', partial_json: piece },
  );
  yield* block(index, start, { deltas });
  const { usage: last, ...delta } = endOf(answer);
  yield event({ type: 'message_delta', delta, usage: last });
  yield event({ type: 'message_stop' });
}

interface BlockDeltas {
  readonly deltas: readonly JsonObject[];
  /** Carries no tokens. */
  readonly last?: JsonObject;
}

function* block(
  index: number,
  content_block: JsonObject,
  { deltas, last }: BlockDeltas,
): Iterable<StreamEvent> {
  yield event({ type: 'content_block_start', index, content_block });
  for (const delta of deltas) yield event({ type: 'content_block_delta', index, delta }, 1);
  if (last !== undefined) yield event({ type: 'content_block_delta', index, delta: last });
  yield event({ type: 'content_block_stop', index });
}

function event(data: { readonly type: string } & JsonObject, tokens = 0): StreamEvent {
  return { name: data.type, data, tokens };
}
