// The sample of the AI providers is good enough for their official clients, and bills what it sends.
import t from 'tap';
import { type SampleEntry, startSampleAi } from '../../src/demo/sample-ai/index.js';
import { clients } from './clients.js';

const sample = await startSampleAi();
t.teardown(() => sample.close());

function last(): SampleEntry {
  const entry = sample.log.at(-1);
  if (entry === undefined) throw new Error('nothing has come');
  return entry;
}

for (const client of clients({ url: sample.url, headers: { 'x-sample': 'reasoning=3 cached=2' } })) {
  t.test(client.name, async (t) => {
    const same = (
      seen: { input: number; output: number; cached: number; reasoning: number },
      what: string,
    ) => {
      const { usage } = last();
      t.match(seen, { input: usage?.input, output: usage?.output }, what);
      if (client.api !== 'openai-embeddings' && client.plainUsage !== true)
        t.match(seen, { cached: 2, reasoning: 3 }, what);
    };
    const whole = await client.whole('Where is the sea? [[tokens=12]]');
    t.equal(last().api, client.api);
    same(whole, 'an answer');
    if (client.stream === undefined) return;

    const pieces: string[] = [];
    const streamed = await client.stream('Where is the sea? [[tokens=12]]', {
      onText: (text) => pieces.push(text),
    });
    same(streamed, 'a stream');
    t.equal(streamed.text, whole.text);
    t.equal(pieces.join(''), whole.text);
    t.equal(Buffer.byteLength(whole.text), 12 * 4);
    t.equal(last().served, 'whole');

    if (client.noCeiling !== true) {
      const short = await client.stream('Go on. [[tokens=100]]', { maxTokens: 10 });
      t.equal(short.output, 10, 'the ceiling');
      t.match(await client.whole('Go on. [[tokens=100]]', 10), { output: 10 });
    }

    if (client.call !== undefined) t.strictSame(await client.call('The weather?'), { city: 'Madrid' });
    if (client.json !== undefined) t.strictSame(await client.json('A city?'), { city: 'Madrid' });
    const entries = sample.log.length;
    await t.rejects(client.whole('[[status=400]]'));
    t.equal(sample.log.length, entries + 1);

    const leave = new AbortController();
    const abandoned = client.stream('Go on. [[tokens=100 hold=5]]', {
      signal: leave.signal,
      onText: () => leave.abort(),
    });
    await abandoned.catch(() => undefined);
    await sample.until((log) => log.at(-1)?.served === 'aborted');
    t.ok(last().tokensSent <= 5);
  });
}
