// A client that did not ask for usage gets what the upstream would have sent without it, byte for byte.
import t from 'tap';
import { CHAT_EVENTS, events } from './answers.js';
import { AZURE_QUERY, cutUp, meterOf, PATHS, pass, priced } from './drive.js';

const REQUEST = { model: 'm', stream: true };
const USAGE = { prompt_tokens: 40, completion_tokens: 25, total_tokens: 65 };

/** The stream as it is without the asking: no `usage: null`, no extra chunk. */
const without = (list: readonly unknown[]): string =>
  events(
    list.flatMap((one) => {
      if (typeof one !== 'object' || one === null || !('usage' in one)) return [one];
      const { usage, ...rest } = one as { usage: unknown; choices?: unknown[] };
      if (usage === null) return [rest];
      return rest.choices?.length === 0 ? [] : [one];
    }),
  );

const FILTERS = { index: 0, content_filter_results: {} };
const MODERATED = { id: 'c1', choices: [], moderation: { flagged: false } };
const CASES: [string, readonly unknown[]][] = [
  ['a plain stream', CHAT_EVENTS],
  ['a moderation chunk behind the usage', [...CHAT_EVENTS.slice(0, -1), MODERATED, '[DONE]']],
  [
    'a first chunk without choices',
    [{ id: '', choices: [], prompt_filter_results: [FILTERS] }, ...CHAT_EVENTS],
  ],
  [
    'usage beside choices stays',
    [{ choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }], usage: USAGE }, '[DONE]'],
  ],
  [
    'usage as the first member',
    [{ usage: null, choices: [{ delta: { content: '"usage":null' } }] }, '[DONE]'],
  ],
  ['usage as the only member', [{ usage: null }, '[DONE]']],
  ['usage inside a text', [{ choices: [{ delta: { content: ',"usage":null,' } }] }, '[DONE]']],
  ['no usage at all', [{ choices: [{ delta: { content: 'x' } }] }, '[DONE]']],
];

for (const [name, list] of CASES) {
  t.test(name, async (t) => {
    const meter = meterOf('openai-chat');
    for (const ends of ['\n', '\r\n', '\r']) {
      const sent = Buffer.from(events(list).replaceAll('\n', ends));
      const due = without(list).replaceAll('\n', ends);
      for (const chunkBytes of [sent.length, 1, 2, 7, 100]) {
        const one = await priced(meter, REQUEST, PATHS['openai-chat']);
        const { client } = await pass(one, sent, { type: 'text/event-stream', chunkBytes });
        t.equal(client.toString(), due, `${JSON.stringify(ends)} in chunks of ${chunkBytes}`);
      }
    }
    await meter.close();
  });
}

t.test('white space between members goes with the member', async (t) => {
  const meter = meterOf('openai-chat');
  for (const [sent, due] of [
    ['{"a": 1, "usage": null, "b": 2}', '{"a": 1, "b": 2}'],
    ['{ "usage" : null , "b": 2}', '{  "b": 2}'],
    ['{"a": 1 , "usage":null }', '{"a": 1  }'],
  ] as const) {
    const one = await priced(meter, REQUEST, PATHS['openai-chat']);
    const { client } = await pass(one, Buffer.from(`data: ${sent}\n\n`), { type: 'text/event-stream' });
    t.equal(client.toString(), `data: ${due}\n\n`);
  }
  await meter.close();
});

t.test(
  'an extra chunk with its latency is removed; one with other content loses only its usage',
  async (t) => {
    const meter = meterOf('openai-chat');
    const timed = { id: 'c', choices: [], latency_checkpoint: { engine_ttft_ms: 27 }, usage: USAGE };
    const cited = { id: 'c', choices: [], citations: ['https://example.org'], usage: USAGE };
    const one = await priced(meter, REQUEST, PATHS['openai-chat']);
    const { client, costs } = await pass(one, Buffer.from(events([timed, cited])), {
      type: 'text/event-stream',
    });
    t.equal(client.toString(), events([{ id: 'c', choices: [], citations: ['https://example.org'] }]));
    t.strictSame(costs, [{ units: 65, estimated: false }]);
    await meter.close();
  },
);

t.test('each event passes as soon as it is complete; at most one incomplete event is withheld', async (t) => {
  const meter = meterOf('openai-chat');
  const { reader } = await priced(meter, REQUEST, PATHS['openai-chat']);
  t.equal(reader?.head(200, [Buffer.from('content-type'), Buffer.from('text/event-stream')]), true);
  const plain = Buffer.from(events([{ choices: [{ delta: { content: 'x' } }] }]));
  t.equal(reader?.data(plain), plain, 'the same bytes where nothing is left out');
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = cutUp(plain, plain.length - 2);
  t.equal(reader?.data(first), undefined);
  t.equal(reader?.data(second)?.toString(), plain.toString());
  t.equal(reader?.data(first), undefined);
  t.equal(reader?.end()?.toString(), first.toString(), 'what is unfinished goes at the end');
  await meter.close();
});

t.test(
  'an event too large to be kept back passes as it comes, and loses only what has not passed yet',
  async (t) => {
    const meter = meterOf('openai-chat');
    const one = await priced(meter, REQUEST, PATHS['openai-chat']);
    const large = { choices: [{ delta: { content: 'x'.repeat(3_000_000) } }], usage: null };
    const usage = { ...USAGE, completion_tokens: 750_000, total_tokens: 750_040 };
    const list = [large, { choices: [], usage }, '[DONE]'];
    const sent = Buffer.from(events(list));
    const { client, costs } = await pass(one, sent, { type: 'text/event-stream', chunkBytes: 65_536 });
    t.ok(client.toString() === without(list));
    t.equal(costs[0]?.units, 750_040);
    await meter.close();
  },
);

t.test('how usage is asked for: every other byte of the request stays', async (t) => {
  const meter = meterOf('openai-chat');
  const cases: [string, string | undefined][] = [
    ['{"model":"m","stream":true}', '{"stream_options":{"include_usage":true},"model":"m","stream":true}'],
    [
      '{ "model":"m", "stream":true,"stream_options": null }',
      '{ "model":"m", "stream":true,"stream_options": {"include_usage":true} }',
    ],
    [
      '{"model":"m","stream":true,"stream_options":{}}',
      '{"model":"m","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      '{"model":"m","stream":true,"stream_options":{ "include_obfuscation":false}}',
      '{"model":"m","stream":true,"stream_options":{"include_usage":true, "include_obfuscation":false}}',
    ],
    [
      '{"model":"m","stream":true,"stream_options":{"include_usage": false}}',
      '{"model":"m","stream":true,"stream_options":{"include_usage": true}}',
    ],
    ['{"model":"m","stream":true,"stream_options":{"include_usage":true}}', undefined],
    ['{"model":"m","stream":false}', undefined],
  ];
  for (const [sent, due] of cases) {
    const one = await priced(meter, sent, PATHS['openai-chat'], { headers: ['Accept-Encoding', 'gzip'] });
    t.equal(one.body?.toString(), due, sent);
    t.strictSame(one.setFields, due === undefined ? undefined : ['accept-encoding', 'identity']);
  }
  await meter.close();
});

t.test('Azure is asked only in versions that know it', async (t) => {
  const meter = meterOf('azure-openai');
  const body = { stream: true };
  const isAsked = async (path: string, query: string) =>
    (await priced(meter, body, path, { query })).body !== undefined;
  t.equal(await isAsked(PATHS['azure-openai'], AZURE_QUERY), true);
  t.equal(await isAsked(PATHS['azure-openai'], '?api-version=2024-02-01'), false);
  t.equal(await isAsked(PATHS['azure-openai'], ''), false);
  for (const query of ['?api%2Dversion=2025-01-01', '?api-version=2024-02-01&API-version=2025-01-01'])
    t.equal(await isAsked(PATHS['azure-openai'], query), true, query);
  t.equal(
    (await priced(meter, { model: 'm', stream: true }, '/openai/v1/chat/completions')).body !== undefined,
    true,
  );
  await meter.close();
});

t.test('a compressed stream is read on the side and not changed', async (t) => {
  const meter = meterOf('openai-chat');
  const { gzipSync } = await import('node:zlib');
  const sent = gzipSync(events(CHAT_EVENTS));
  const one = await priced(meter, REQUEST, PATHS['openai-chat']);
  const { client, costs } = await pass(one, sent, {
    type: 'text/event-stream',
    coding: 'gzip',
    chunkBytes: 11,
  });
  t.ok(client.equals(sent));
  t.strictSame(costs, [{ units: 65, estimated: false }]);
  await meter.close();
});
