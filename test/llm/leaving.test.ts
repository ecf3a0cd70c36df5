// A client that leaves early does not get the answer for free, and does not pay the whole hold; the upstream request is
// aborted at once.
import { request as httpRequest } from 'node:http';
import t from 'tap';
import { APIS } from './raw.js';
import { setUp } from './support.js';

/** Far from the answer's end, also on a busy machine; the bench says how soon it is. */
const ABORT_MS = 1_000;

/** Sends the request and leaves when `when` says so. */
async function leave(url: string, headers: Record<string, string>, body: unknown, when: () => Promise<void>) {
  const outgoing = httpRequest(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
  });
  outgoing.on('response', (answer) => answer.on('error', () => undefined).resume());
  outgoing.on('error', () => undefined);
  outgoing.end(JSON.stringify(body));
  await when();
  outgoing.destroy();
  return performance.now();
}

for (const { api, path, streamPath = path, body } of APIS) {
  t.test(api, async (t) => {
    const bed = await setUp(t);
    let consumed = 0;
    for (const [orders, stream] of [
      ['tokens=40 hold=0', false],
      ['tokens=40 wait=30000', true],
      ['tokens=40 hold=0', true],
      ['tokens=40 hold=15', true],
    ] as const) {
      const what = `${stream ? 'stream' : 'JSON'} ${orders}`;
      const url = bed.url + (stream ? streamPath : path);
      const prompt = `Where is the sea? [[${orders}]]`;
      const count = bed.sample.log.length;
      const leftAt = await leave(url, bed.headers, body(prompt, stream), () =>
        bed.sample.until((log) => {
          const entry = log[count];
          return (
            entry !== undefined && (entry.onHold || (entry.usage !== undefined && orders.includes('wait')))
          );
        }),
      );
      await bed.sample.until((log) => log[count]?.endedAt !== undefined);
      const { served, endedAt = 0, usage, tokensSent } = bed.last();
      t.equal(served, 'aborted', what);
      t.ok(endedAt - leftAt <= ABORT_MS, `${what}: ${endedAt - leftAt} ms`);
      const units = (await bed.settled(t)) - consumed;
      consumed += units;
      const input = usage?.input ?? 0;
      t.ok(units >= input + tokensSent, `${what}: ${units} settled, ${input} + ${tokensSent} at least`);
      t.ok(units < input + 1_000, `${what}: ${units} settled, and not all that was held`);
    }
  });
}
