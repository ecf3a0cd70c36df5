/** OpenAI chat completions, and Azure's. */
import { type Answer, type Ask, promptOf, reported, toolOf } from './answer.js';
import { type JsonObject, listOf, objectOf, textOf } from './json.js';
import * as openai from './openai-common.js';
import { Refusal, type Shape, type StreamEvent, type Target } from './shape.js';

export const openaiChat: Shape = {
  api: 'openai-chat',
  read,
  json,
  events,
  framing: openai.openaiFraming,
  error: openai.openaiError,
  errorEvents: openai.openaiErrorEvents,
};

export const azureChat: Shape = {
  ...openaiChat,
  api: 'azure-openai',
  *events(answer, ask) {
    // Azure first reports its filter results for the prompt.
    const filtered = [{ prompt_index: 0, content_filter_results: {} }];
    const base = { id: '', object: '', created: 0, model: '', prompt_filter_results: filtered };
    yield { data: { ...base, choices: [] } };
    yield* events(answer, ask);
  },
};

function read(body: JsonObject, target: Target): Ask {
  const messages = listOf(body.messages);
  if (messages.length === 0) throw new Refusal(400, "Invalid 'messages': empty array.");
  const answered = objectOf(messages.at(-1)).role === 'tool';
  return {
    model: openai.modelOf(body, target),
    body,
    ...promptOf(messages, body.tools),
    ceiling: openai.ceilingOf(body.max_completion_tokens ?? body.max_tokens, 'max_tokens'),
    choices: openai.choicesOf(body.n),
    stream: body.stream === true,
    wantsUsage: openai.wantsUsageOf(body, target),
    tool: toolOf(body.tools, answered || body.tool_choice === 'none', (tool) => {
      const { name, parameters } = objectOf(tool.function);
      return { name: textOf(name), schema: parameters ?? {} };
    }),
    json: jsonWanted(objectOf(body.response_format)),
  };
}

function jsonWanted({ type, json_schema }: JsonObject): JsonObject | undefined {
  if (type === 'json_schema') return objectOf(objectOf(json_schema).schema);
  return type === 'json_object' ? {} : undefined;
}

function base({ number, createdSeconds, model }: Answer, object: string): JsonObject {
  return {
    id: `chatcmpl-sample-${number}`,
    object,
    created: createdSeconds,
    model,
    system_fingerprint: 'fp_sample',
  };
}

function finishOf({ short, tool }: Answer): string {
  if (short) return 'length';
  return tool === undefined ? 'stop' : 'tool_calls';
}

function callOf({ number, tool }: Answer, text: string): JsonObject {
  return { id: `call_${number}`, type: 'function', function: { name: tool, arguments: text } };
}

function json(answer: Answer): unknown {
  const text = answer.pieces.join('');
  const called = answer.tool !== undefined;
  const message = called
    ? { role: 'assistant', content: null, tool_calls: [callOf(answer, text)], refusal: null }
    : { role: 'assistant', content: text, refusal: null };
  const choices = Array.from({ length: answer.choices }, (_, index) => ({
    index,
    message,
    logprobs: null,
    finish_reason: finishOf(answer),
  }));
  const usage = reported(answer.tells, openai.completionUsage(answer.usage));
  return { ...base(answer, 'chat.completion'), choices, usage };
}

function* events(answer: Answer, _ask: Ask): Iterable<StreamEvent> {
  const chunks = new openai.Chunks(answer, base(answer, 'chat.completion.chunk'));
  const all = Array.from({ length: answer.choices }, (_, index) => index);
  const choice = (index: number, delta: JsonObject, finish: string | null = null): JsonObject => ({
    index,
    delta,
    logprobs: null,
    finish_reason: finish,
  });
  const called = answer.tool !== undefined;
  const first = called
    ? { role: 'assistant', content: null, tool_calls: [{ index: 0, ...callOf(answer, '') }] }
    : { role: 'assistant', content: '', refusal: null };
  for (const index of all) yield chunks.chunk(choice(index, first));
  for (const piece of answer.pieces) {
    const delta = called
      ? { tool_calls: [{ index: 0, function: { arguments: piece } }] }
      : { content: piece };
    for (const index of all) yield chunks.token(choice(index, delta));
  }
  for (const index of all) yield chunks.chunk(choice(index, {}, finishOf(answer)), index === all.length - 1);
  yield* chunks.end();
}
