/** Gemini: generateContent and streamGenerateContent, the latter as events (`alt=sse`) or as one JSON array. */
import { type Answer, type Ask, promptOf, reported, toolOf, type Usage, usageAfter } from './answer.js';
import { countOf, type JsonObject, listOf, objectOf, textOf } from './json.js';
import { jsonArray, Refusal, type Shape, type StreamEvent, serverSentEvents, type Target } from './shape.js';

const STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

export const gemini: Shape = {
  api: 'gemini',
  read,
  json: (answer) => {
    const { usage, pieces, thoughts } = answer;
    const parts = [...thoughtParts(thoughts), ...partsOf(answer, pieces)];
    return chunk(answer, parts, { usage, finishReason: finishOf(answer) });
  },
  events,
  // Gemini's own servers end their lines with CRLF.
  framing: ({ query }) => (query.get('alt') === 'sse' ? serverSentEvents(true) : jsonArray),
  error,
  errorEvents: (_answer, message) => [{ data: error(503, message) }],
};

function error(status: number, message: string): unknown {
  return { error: { code: status, message, status: STATUSES[status] ?? 'UNKNOWN' } };
}

function read(body: JsonObject, { path }: Target): Ask {
  const [, model = '', method] = /\/models\/([^/]+):(\w+)$/.exec(path) ?? [];
  const contents = listOf(body.contents);
  if (contents.length === 0) throw new Refusal(400, 'contents is not specified');
  const config = objectOf(body.generationConfig);
  const parts = listOf(objectOf(contents.at(-1)).parts);
  const answered = parts.some((part) => objectOf(part).functionResponse !== undefined);
  const calling = objectOf(objectOf(body.toolConfig).functionCallingConfig).mode;
  const schema = config.responseSchema ?? config.responseJsonSchema;
  return {
    model,
    body,
    ...promptOf(body.systemInstruction, contents, body.tools),
    ceiling: countOf(config.maxOutputTokens),
    choices: countOf(config.candidateCount) ?? 1,
    stream: method === 'streamGenerateContent',
    wantsUsage: true,
    tool: toolOf(body.tools, answered || calling === 'NONE', ({ functionDeclarations }) => {
      const { name, parameters, parametersJsonSchema } = objectOf(listOf(functionDeclarations)[0]);
      return { name: textOf(name), schema: parameters ?? parametersJsonSchema ?? {} };
    }),
    json: config.responseMimeType === 'application/json' ? objectOf(schema) : undefined,
  };
}

/** The candidates' token count excludes thoughts. */
function usageOf({ input, cached, output, reasoning }: Usage): JsonObject {
  return {
    promptTokenCount: input,
    candidatesTokenCount: output - reasoning,
    totalTokenCount: input + output,
    ...(cached > 0 ? { cachedContentTokenCount: cached } : {}),
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }],
    ...(reasoning > 0 ? { thoughtsTokenCount: reasoning } : {}),
  };
}

function finishOf({ short }: Answer): string {
  return short ? 'MAX_TOKENS' : 'STOP';
}

function partsOf({ tool, short }: Answer, pieces: readonly string[]): JsonObject[] {
  const text = pieces.join('');
  if (tool === undefined) return [{ text }];
  // A call that was cut off by the output limit is omitted.
  return short ? [] : [{ functionCall: { name: tool, args: JSON.parse(text) } }];
}

function thoughtParts(thoughts: readonly string[]): JsonObject[] {
  return thoughts.length === 0 ? [] : [{ text: thoughts.join(''), thought: true }];
}

interface ChunkEnd {
  readonly usage: Usage;
  /** Of the last chunk only. */
  readonly finishReason?: string;
}

function chunk(answer: Answer, parts: readonly JsonObject[], { usage, finishReason }: ChunkEnd): JsonObject {
  const candidates = Array.from({ length: answer.choices }, (_, index) => ({
    content: { parts, role: 'model' },
    ...(finishReason === undefined ? {} : { finishReason }),
    index,
  }));
  return {
    candidates,
    usageMetadata: reported(answer.tells, usageOf(usage)),
    modelVersion: answer.model,
    responseId: `sample-${answer.number}`,
  };
}

function* events(answer: Answer): Iterable<StreamEvent> {
  const { pieces, thoughts, choices, usage, tool } = answer;
  let sent = 0;
  let thought = 0;
  const step = (parts: readonly JsonObject[], tokens: number): StreamEvent => {
    sent += tokens;
    const usageSoFar = { ...usageAfter(answer, sent), reasoning: thought };
    return { data: chunk(answer, parts, { usage: usageSoFar }), tokens };
  };
  for (const text of thoughts) {
    thought += choices;
    yield step([{ text, thought: true }], choices);
  }
  if (tool !== undefined) yield step(partsOf(answer, pieces), pieces.length * choices);
  else for (const text of pieces) yield step([{ text }], choices);
  yield { data: chunk(answer, [{ text: '' }], { usage, finishReason: finishOf(answer) }) };
}
