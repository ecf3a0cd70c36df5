// The Content-Type of an answer does not decide its cost: its first byte shows its format, and unreadable bytes count
// as text.
import t from 'tap';
import { meterOf, PATHS, pass, priced } from './drive.js';

const TEXT = 'x'.repeat(300);
const USAGE = { prompt_tokens: 10, completion_tokens: 100, total_tokens: 110 };
const WHOLE = {
  model: 'm',
  choices: [{ index: 0, message: { content: TEXT }, finish_reason: 'stop' }],
  usage: USAGE,
};
const CHUNKS = [
  { model: 'm', choices: [{ index: 0, delta: { content: TEXT }, finish_reason: 'stop' }], usage: null },
  { model: 'm', choices: [], usage: USAGE },
];
const events = CHUNKS.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('');

const BODIES: Readonly<Record<string, string>> = {
  'one JSON document': JSON.stringify(WHOLE),
  'one over many lines': JSON.stringify(WHOLE, null, 2),
  'a byte order mark before it': `\ufeff${JSON.stringify(WHOLE)}`,
  'blanks before it': ` \r\n\n${JSON.stringify(WHOLE)}`,
  'JSON lines': CHUNKS.map((one) => `${JSON.stringify(one)}\n`).join(''),
  'an array': JSON.stringify(CHUNKS),
  events: `${events}data: [DONE]\n\n`,
  'events behind a byte order mark': `\ufeff${events}data: [DONE]\n\n`,
  'events with CR': `: x\r\r${events.replaceAll('\n', '\r')}`,
  'usage behind the end': `${events.replace('data: {"model":"m","choices":[],', 'data: [DONE]\n\n$&')}`,
};
const TYPES = ['', 'text/plain', 'text/event-stream', 'application/json', 'application/x-ndjson'];

for (const [name, body] of Object.entries(BODIES)) {
  t.test(name, async (t) => {
    const meter = meterOf('openai-compatible');
    t.teardown(() => meter.close());
    for (const type of TYPES)
      for (const stream of [true, false])
        for (const chunkBytes of [1, 7, 10_000]) {
          if (!stream && name === 'JSON lines' && type !== 'text/event-stream') continue;
          const request = { model: 'm', stream, stream_options: stream ? { include_usage: true } : null };
          const one = await priced(meter, request, PATHS['openai-compatible']);
          const { costs, client } = await pass(one, Buffer.from(body), { type, chunkBytes });
          t.strictSame(costs, [{ units: 110, estimated: false }], `${type} ${stream} ${chunkBytes}`);
          t.equal(client.toString(), body, 'as it came');
        }
  });
}

t.test('not asked for usage: JSON in place of events passes as it came', async (t) => {
  const meter = meterOf('openai-chat', { whenSpent: 'cut' });
  t.teardown(() => meter.close());
  const request = { model: 'm', stream: true, max_tokens: 5 };
  for (const chunkBytes of [1, 10_000]) {
    const body = JSON.stringify(WHOLE);
    const { costs, client } = await pass(
      await priced(meter, request, PATHS['openai-chat']),
      Buffer.from(body),
      { type: 'text/event-stream', chunkBytes },
    );
    t.strictSame(costs, [{ units: 110, estimated: false }]);
    t.equal(client.toString(), body);
  }
});

t.test('what no shape can read counts as text', async (t) => {
  const meter = meterOf('openai-chat');
  t.teardown(() => meter.close());
  for (const [body, type] of [
    [TEXT, 'text/plain'],
    [`${TEXT}\n`, 'text/event-stream'],
    [JSON.stringify({ completion: TEXT }), 'application/json'],
    [JSON.stringify({ answer: [{ paragraphs: [TEXT] }] }), 'application/json'],
  ] as const)
    for (const stream of [true, false]) {
      const one = await priced(meter, { model: 'm', stream }, PATHS['openai-chat']);
      const { costs, report } = await pass(one, Buffer.from(body), { type });
      t.ok((report?.usage.output ?? 0) >= 100, `${type} ${stream}: ${JSON.stringify(costs)}`);
    }
});

t.test('an error in the midst, without `data:`', async (t) => {
  const meter = meterOf('gemini');
  t.teardown(() => meter.close());
  const part = {
    candidates: [{ content: { parts: [{ text: TEXT }] } }],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 90, totalTokenCount: 95 },
  };
  const error = JSON.stringify({ error: { code: 503, message: 'x', status: 'UNAVAILABLE' } }, null, 2);
  const body = `data: ${JSON.stringify(part)}\n\n${error}\n\n`;
  const one = await priced(meter, {}, '/v1beta/models/m:streamGenerateContent');
  const { costs } = await pass(one, Buffer.from(body), { type: 'text/event-stream' });
  t.strictSame(costs, [{ units: 105, estimated: true }], 'all of the text that came');
});

t.test('a server that sends all at once, and a client that leaves just before the end', async (t) => {
  const text = 'word '.repeat(2_000);
  const chunk = { choices: [{ index: 0, delta: { content: text } }] };
  const gemini = { candidates: [{ content: { parts: [{ text }] } }] };
  const chat = { model: 'm', stream: true, max_tokens: 5_000 };
  for (const [api, path, request, body, type] of [
    ['openai-chat', PATHS['openai-chat'], chat, `data: ${JSON.stringify(chunk)}`, 'text/event-stream'],
    ['openai-chat', PATHS['openai-chat'], chat, JSON.stringify(chunk), 'application/json'],
    [
      'gemini',
      '/v1beta/models/m:streamGenerateContent',
      {},
      `[${JSON.stringify(gemini)}`,
      'application/json',
    ],
    ['ollama', PATHS.ollama, { model: 'm' }, `{"done":false}\n${JSON.stringify({ response: text })}`, ''],
  ] as const) {
    const meter = meterOf(api);
    t.teardown(() => meter.close());
    const one = await priced(meter, request, path);
    const { report } = await pass(one, Buffer.from(body).subarray(0, -4), { type, whole: false });
    const output = report?.usage.output ?? 0;
    t.ok(output > 2_500 && output <= 5_000, `${api} ${type}: ${output}`);
  }
});
