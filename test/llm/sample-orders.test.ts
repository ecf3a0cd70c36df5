// The sample does what a request orders: true and false usage, pieces, codings, cut-offs, faults; and says what it did.
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { type SampleEntry, startSampleAi } from '../../src/demo/sample-ai/index.js';
import { APIS, eventsIn, factsOf, post } from './raw.js';

const sample = await startSampleAi();
t.teardown(() => sample.close());

const CHAT = '/v1/chat/completions';

function chat(content: string, more: Record<string, unknown> = {}) {
  return { body: { model: 'm', messages: [{ role: 'user', content }], ...more } };
}

const ask = (content: string, more = {}) => post(sample.url + CHAT, chat(content, more));
const stream = (content: string, more = {}) => ask(content, { stream: true, ...more });
const withUsage = { stream_options: { include_usage: true } };

function last(): SampleEntry {
  const entry = sample.log.at(-1);
  if (entry === undefined) throw new Error('nothing has come');
  return entry;
}

t.test('usage in a chat stream, as OpenAI reports it', async (t) => {
  const unasked = eventsIn((await stream('[[tokens=5]]')).body);
  t.equal(unasked.at(-1), '[DONE]');
  t.notOk(JSON.stringify(unasked).includes('usage'));
  const asked = eventsIn((await stream('[[tokens=5]]', withUsage)).body);
  const extra = asked.at(-2) as { choices: unknown[]; usage: { completion_tokens: number } };
  t.match(extra, { choices: [], usage: { completion_tokens: 5, prompt_tokens: last().usage?.input } });
  t.equal(asked.length, unasked.length + 1);
  t.ok(asked.slice(0, -2).every((chunk) => (chunk as { usage: unknown }).usage === null));
  const merged = eventsIn((await stream('[[usage=merged]]', withUsage)).body);
  t.match(merged.at(-2), { choices: [{ finish_reason: 'stop' }], usage: { completion_tokens: 16 } });
  const each = eventsIn((await stream('[[usage=each]]')).body);
  t.match(each.at(5), { usage: { completion_tokens: 5 } });
});

t.test('usage that is missing or no usage', async (t) => {
  for (const { api, path, streamPath = path, body } of APIS) {
    for (const way of ['none', 'null', 'zero', 'negative', 'text', 'truly']) {
      const prompt = `[[tokens=3 usage=${way}]]`;
      const json = JSON.parse((await post(sample.url + path, { body: body(prompt, false) })).body.toString());
      // Ollama's counters stand beside the answer.
      const { prompt_eval_count: input, eval_count: output } = json;
      const ollama = output === undefined ? undefined : { input, output };
      const usage = json.usage ?? json.usageMetadata ?? ollama;
      const counts = Object.values(usage?.billed_units ?? usage ?? {}).filter(
        (value) => typeof value !== 'object',
      );
      if (way === 'none') t.equal(usage, undefined, `${api} ${way}`);
      else if (way === 'null') t.notOk(usage, `${api} ${way}`);
      else if (way === 'zero') t.ok(counts.includes(0) && !counts.includes(3), `${api} ${way}`);
      else t.ok(counts.includes({ negative: -3, text: '3', truly: 3 }[way]), `${api} ${way}`);
      const events = await post(sample.url + streamPath, { body: body(prompt, true) });
      t.ok(events.whole, `${api} ${way} stream`);
      t.match(last(), { status: 200, stream: true, tokensSent: 3, usage: { output: 3 } });
    }
  }
});

t.test('however the bytes come, they are the same', async (t) => {
  const { body: plain } = await stream('[[tokens=40]]');
  const text = (bytes: Buffer): string => bytes.toString().replaceAll(/"(id|created)":("[^"]*"|\d+)/g, '');
  const split = await stream('[[tokens=40 split=7]]');
  t.equal(text(split.body), text(plain));
  const gzip = await post(sample.url + CHAT, {
    ...chat('[[tokens=40 coding=gzip]]', { stream: true }),
    headers: { 'accept-encoding': 'gzip, deflate' },
  });
  t.equal(gzip.headers['content-encoding'], 'gzip');
  t.equal(text(gunzipSync(gzip.body)), text(plain));
  const brotli = await stream('[[tokens=40 coding=br insist]]');
  t.equal(text(brotliDecompressSync(brotli.body)), text(plain));
  t.equal(text((await stream('[[tokens=40 coding=br]]')).body), text(plain), 'not where it is not accepted');
  const odd = await stream('[[tokens=40 crlf comments]]');
  t.equal(
    text(odd.body)
      .replaceAll(/^: .*\r\n\r\n/gm, '')
      .replaceAll('\r\n', '\n'),
    text(plain),
  );
  t.match(odd.body.toString(), /^: the sample is thinking\r$/m);
});

t.test('Gemini without alt=sse is one JSON array', async (t) => {
  const path = '/v1beta/models/m:streamGenerateContent';
  const { body } = await post(sample.url + path, {
    body: { contents: [{ parts: [{ text: '[[tokens=9 reasoning=2 comments]]' }] }] },
  });
  const chunks = JSON.parse(body.toString());
  t.equal(chunks.length, 12);
  t.match(chunks.at(-1), { usageMetadata: { candidatesTokenCount: 9, thoughtsTokenCount: 2 } });
});

t.test('what goes wrong', async (t) => {
  const refused = await ask('[[status=429 retry=7]]');
  t.match(refused, { status: 429, headers: { 'retry-after': '7' } });
  t.match(JSON.parse(refused.body.toString()), { error: { code: 'rate_limit_exceeded' } });
  t.equal(last().usage, undefined, 'it costs nothing');

  const cut = await stream('[[tokens=30 cut=10]]');
  t.notOk(cut.whole);
  t.equal(eventsIn(cut.body).length, 11, 'the role and ten tokens');
  t.match(last(), { served: 'cut', tokensSent: 10, usage: { output: 30 } });
  const broken = await ask('[[tokens=30 cut=10]]');
  t.match([broken.whole, broken.body.length], [false, 10]);

  const failed = eventsIn((await stream('[[tokens=30 fail=10]]')).body);
  t.match(failed.at(-1), { error: { type: 'server_error' } });
  t.equal(failed.length, 12);
  t.match(JSON.parse((await ask('[[fail=0]]')).body.toString()), { error: {} });
  for (const { path, streamPath = path, body, api, errors } of APIS) {
    const answer = await post(sample.url + streamPath, { body: body('[[tokens=4 fail=2]]', true) });
    t.match(answer.body.toString(), errors.streamEnd, api);
  }

  t.equal((await ask('[[tokns=3]]')).status, 400, 'an order that it does not know');
  t.equal((await post(`${sample.url}/v1/nothing`, { body: {} })).status, 404);
  t.equal((await post(sample.url + CHAT, { body: '{' })).status, 400);
  t.equal((await ask('', { max_tokens: '10' })).status, 400);
  const old = '/openai/deployments/m/chat/completions?api-version=2024-02-01';
  t.equal((await post(sample.url + old, chat('', { stream: true, ...withUsage }))).status, 400);
  t.equal((await post(sample.url + old, chat('', { stream: true }))).status, 200);
});

t.test('output limits, choices, parts', async (t) => {
  const { usage } = JSON.parse(
    (await ask('[[tokens=50 reasoning=4 cached=3 written=2]]', { n: 3, max_tokens: 10 })).body.toString(),
  );
  t.match(usage, {
    completion_tokens: 30,
    completion_tokens_details: { reasoning_tokens: 12 },
    prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
  });
  t.equal(usage.prompt_tokens, Math.ceil('[[tokens=50 reasoning=4 cached=3 written=2]]'.length / 4));
  await ask('[[tokens=50 over]]', { max_tokens: 10 });
  t.equal(last().usage?.output, 50);
  const answer = await post(`${sample.url}/v1/messages`, {
    body: factsOf('anthropic-messages').body('[[prompt=100 cached=30 written=20]]', false),
  });
  t.match(JSON.parse(answer.body.toString()).usage, {
    input_tokens: 50,
    cache_read_input_tokens: 30,
    cache_creation_input_tokens: 20,
  });
  await post(`${sample.url}/v1/embeddings`, { body: { model: 'm', input: [[1, 2, 3], [4]] } });
  t.match(last().usage, { input: 4, output: 0 });
});

t.test('a held answer waits, and is then complete', async (t) => {
  const waiting = stream('[[tokens=9 hold=4]]');
  await sample.until((log) => log.at(-1)?.onHold === true);
  t.match(last(), { served: 'open', tokensSent: 4 });
  sample.release();
  t.ok((await waiting).whole);
  t.equal(last().tokensSent, 9);
  const left = fetch(sample.url + CHAT, {
    method: 'POST',
    body: JSON.stringify(chat('[[tokens=9 delay=60000]]', { stream: true }).body),
  }).then((answer) => answer.body?.cancel());
  await left;
  await sample.until((log) => log.at(-1)?.served === 'aborted');
});
