/** Amazon Bedrock: Converse, and InvokeModel with Claude, streamed as Amazon's event messages. */
import { writeAmazonEvent } from '../../http/amazon-event.js';
import { type Answer, type Ask, promptOf, reported, toolOf } from './answer.js';
import { anthropicMessages } from './anthropic.js';
import { countOf, type JsonObject, listOf, objectOf, textOf } from './json.js';
import { type Framing, Refusal, type Shape, type StreamEvent, type Target } from './shape.js';

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'ValidationException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
};

/** An event's name identifies the kind of message; names of exceptions have this suffix. */
const amazonEvents: Framing = {
  contentType: 'application/vnd.amazon.eventstream',
  event({ name = '', data }) {
    const isFault = name.endsWith('Exception');
    const headers = {
      [isFault ? ':exception-type' : ':event-type']: name,
      ':content-type': 'application/json',
      ':message-type': isFault ? 'exception' : 'event',
    };
    return writeAmazonEvent(headers, Buffer.from(JSON.stringify(data)));
  },
  comment: '',
  close: '',
};

const shared = {
  api: 'bedrock',
  framing: () => amazonEvents,
  error: (status: number, message: string) => ({
    __type: ERROR_TYPES[status] ?? 'ModelErrorException',
    message,
  }),
  errorEvents: (_answer: Answer, message: string) => [
    { name: 'modelStreamErrorException', data: { message } },
  ],
} as const;

export const bedrockConverse: Shape = { ...shared, read, json, events };

export const bedrockInvoke: Shape = {
  ...shared,
  read: (body, target) =>
    anthropicMessages.read({ ...body, ...nameOf(target), stream: target.path.endsWith('-stream') }, target),
  json: anthropicMessages.json,
  *events(answer, ask) {
    for (const { data, tokens } of anthropicMessages.events(answer, ask)) {
      const bytes = Buffer.from(JSON.stringify(data)).toString('base64');
      yield { name: 'chunk', data: { bytes, p: 'abcd' }, tokens: tokens ?? 0 };
    }
  },
};

function nameOf({ path }: Target): { readonly model: string } {
  const [, name = ''] = /\/model\/([^/]+)\//.exec(path) ?? [];
  return { model: decodeURIComponent(name) };
}

function read(body: JsonObject, target: Target): Ask {
  const messages = listOf(body.messages);
  if (messages.length === 0) throw new Refusal(400, 'A conversation must start with a user message.');
  const { tools } = objectOf(body.toolConfig);
  const parts = listOf(objectOf(messages.at(-1)).content);
  const answered = parts.some((part) => objectOf(part).toolResult !== undefined);
  return {
    ...nameOf(target),
    body,
    ...promptOf(body.system, messages, tools),
    ceiling: countOf(objectOf(body.inferenceConfig).maxTokens),
    choices: 1,
    stream: target.path.endsWith('-stream'),
    wantsUsage: true,
    tool: toolOf(tools, answered, ({ toolSpec }) => {
      const { name, inputSchema } = objectOf(toolSpec);
      return { name: textOf(name), schema: objectOf(inputSchema).json ?? {} };
    }),
  };
}

/** `inputTokens` excludes tokens that are read from or written to the cache; the total includes them. */
function usageOf({ usage: { input, cached, written, output }, tells }: Answer): unknown {
  return reported(tells, {
    inputTokens: input - cached - written,
    outputTokens: output,
    totalTokens: input + output,
    cacheReadInputTokens: cached,
    cacheWriteInputTokens: written,
  });
}

function stopOf({ short, tool }: Answer): string {
  return short ? 'max_tokens' : tool === undefined ? 'end_turn' : 'tool_use';
}

function json(answer: Answer): unknown {
  const { pieces, thoughts, tool, number } = answer;
  const text = pieces.join('');
  const thinking = thoughts.join('');
  const thought = thinking === '' ? [] : [{ reasoningContent: { reasoningText: { text: thinking } } }];
  const said =
    tool === undefined
      ? { text }
      : { toolUse: { toolUseId: `tool-${number}`, name: tool, input: JSON.parse(text) } };
  const message = { role: 'assistant', content: [...thought, said] };
  return {
    output: { message },
    stopReason: stopOf(answer),
    usage: usageOf(answer),
    metrics: { latencyMs: 1 },
  };
}

function* events(answer: Answer): Iterable<StreamEvent> {
  const { thoughts, pieces, tool, number } = answer;
  yield { name: 'messageStart', data: { role: 'assistant', p: 'abc' } };
  for (const text of thoughts) yield delta(0, { reasoningContent: { text } });
  if (thoughts.length > 0) yield { name: 'contentBlockStop', data: { contentBlockIndex: 0 } };
  if (tool !== undefined) {
    const start = { toolUse: { toolUseId: `tool-${number}`, name: tool } };
    yield { name: 'contentBlockStart', data: { contentBlockIndex: 1, start } };
  }
  for (const text of pieces) yield delta(1, tool === undefined ? { text } : { toolUse: { input: text } });
  yield { name: 'contentBlockStop', data: { contentBlockIndex: 1, p: 'ab' } };
  yield { name: 'messageStop', data: { stopReason: stopOf(answer) } };
  yield { name: 'metadata', data: { usage: usageOf(answer), metrics: { latencyMs: 1 }, p: 'a' } };
}

function delta(contentBlockIndex: number, part: JsonObject): StreamEvent {
  return { name: 'contentBlockDelta', data: { contentBlockIndex, delta: part, p: 'abcdef' }, tokens: 1 };
}
