/**
 * The AI upstream of the bench, a separate process: canned OpenAI chat completions. A prompt with `[[chunks=200 every=0]]` sets the
 * number of events in a stream and the milliseconds between them (0: one per turn of the event loop). It reports each aborted
 * stream to its parent: the id in `[[… id=7]]`, and the time.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const BASE = {
  id: 'chatcmpl-bench',
  created: 1_760_000_000,
  model: 'gpt-bench',
  system_fingerprint: 'fp_bench',
};
const PROMPT_TOKENS = 12;
const WORDS = ['The ', 'map ', 'of ', 'our ', 'sea ', 'has ', 'one ', 'new ', 'bay, ', 'far '];

function usageOf(tokens: number): Record<string, number> {
  return { prompt_tokens: PROMPT_TOKENS, completion_tokens: tokens, total_tokens: PROMPT_TOKENS + tokens };
}

const ANSWER = Buffer.from(
  JSON.stringify({
    ...BASE,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: WORDS.join('') },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: usageOf(WORDS.length),
  }),
);

function event(rest: object): Buffer {
  return Buffer.from(`data: ${JSON.stringify({ ...BASE, object: 'chat.completion.chunk', ...rest })}\n\n`);
}

const TOKENS = WORDS.map((content) =>
  event({ choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }] }),
);
const LAST = event({ choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] });
const DONE = Buffer.from('data: [DONE]\n\n');

interface Stream {
  readonly response: ServerResponse;
  readonly chunks: number;
  readonly everyMs: number;
  readonly usage: boolean;
  sent: number;
}

const fast = new Set<Stream>();

/** Sends one event of each stream per turn of the event loop. */
function turn(): void {
  for (const stream of fast) if (!step(stream)) fast.delete(stream);
  if (fast.size > 0) setImmediate(turn);
}

/** Sends the next event; false after the last one. */
function step(stream: Stream): boolean {
  const { response, chunks, usage } = stream;
  if (response.destroyed) return false;
  const token = TOKENS[stream.sent % TOKENS.length];
  if (stream.sent < chunks && token !== undefined) {
    response.write(token);
    stream.sent += 1;
    return true;
  }
  response.write(LAST);
  if (usage) response.write(event({ choices: [], usage: usageOf(chunks) }));
  response.end(DONE);
  return false;
}

function begin(stream: Stream, id: string): void {
  const { response, everyMs } = stream;
  response.writeHead(200, ['Content-Type', 'text/event-stream; charset=utf-8']);
  response.once('close', () => {
    if (!response.writableFinished) process.send?.({ gone: id, at: String(process.hrtime.bigint()) });
  });
  if (everyMs === 0) {
    fast.add(stream);
    if (fast.size === 1) setImmediate(turn);
    return;
  }
  const timer = setInterval(() => {
    if (!step(stream)) clearInterval(timer);
  }, everyMs);
}

function orderIn(text: string, name: string): string {
  return new RegExp(`\\b${name}=(\\d+)`).exec(text)?.[1] ?? '0';
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const text = Buffer.concat(pieces).toString();
    if (!/"stream": ?true/.test(text)) {
      const fields = ['Content-Type', 'application/json', 'Content-Length', String(ANSWER.length)];
      response.writeHead(200, fields).end(ANSWER);
      return;
    }
    const chunks = Number(orderIn(text, 'chunks'));
    const everyMs = Number(orderIn(text, 'every'));
    const usage = /"include_usage": ?true/.test(text);
    begin({ response, chunks, everyMs, usage, sent: 0 }, orderIn(text, 'id'));
  });
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit(0));
