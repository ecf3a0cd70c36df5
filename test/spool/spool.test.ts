// A spooled call that an earlier process may have sent long ago differs from calls that nobody has sent.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { UndeliveredCall } from '../../src/ledger/batching/index.js';
import { PRODUCER_YOUNG_MS } from '../../src/ledger/port.js';
import { openSpool } from '../../src/spool/spool.js';
import { until } from '../e2e/load.js';

const CALLS = ['a', 'b', 'c'].map(
  (producer): UndeliveredCall => ({ org: 'acme', epoch: 'e1', producer, seq: 1, inDoubt: false, ops: [] }),
);
const OLD_MS = Date.now() - PRODUCER_YOUNG_MS - 60_000;

/** Delivers a file with these marks; resolves with `<producer>` of each call that was sent, `!` behind those that are forgotten. */
async function deliver(t: Test, marks: readonly unknown[]) {
  const path = mkdtempSync(join(tmpdir(), 'quotagate-spool-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  const file = '1-abc.spool';
  const lines = [{ version: 1 }, ...CALLS, ...marks].map((value) => `${JSON.stringify(value)}\n`);
  writeFileSync(join(path, file), lines.join(''));
  const sent: string[] = [];
  let marked = '';
  await new Promise<void>((resolve, reject) => {
    const spool = openSpool({
      path,
      deliver: async ({ producer }, isForgotten) => {
        marked =
          readFileSync(join(path, readdirSync(path)[0] ?? ''), 'utf8')
            .trimEnd()
            .split('\n')
            .at(-1) ?? '';
        sent.push(isForgotten ? `${producer}!` : producer);
      },
      onDelivered: () => resolve(),
      onTrouble: (_, error) => reject(error),
    });
    t.teardown(() => spool.close());
    spool.start();
  });
  return { sent, marked };
}

t.test('calls that were never sent are sent, however old the file is', async (t) => {
  const { sent, marked } = await deliver(t, []);
  t.strictSame(sent, ['a', 'b', 'c']);
  t.match(JSON.parse(marked), { done: 1, at: Number }, 'each is marked before the next one');
});

t.test('only the first that is not over can have been sent', async (t) => {
  t.strictSame((await deliver(t, [{ begun: OLD_MS, org: 'acme' }])).sent, ['a!', 'b', 'c']);
  t.strictSame(
    (
      await deliver(t, [
        { begun: OLD_MS, org: 'acme' },
        { done: 0, at: OLD_MS },
      ])
    ).sent,
    ['b!', 'c'],
  );
  t.strictSame(
    (
      await deliver(t, [
        { begun: OLD_MS, org: 'acme' },
        { done: 0, at: Date.now() },
      ])
    ).sent,
    ['b', 'c'],
  );
  t.strictSame((await deliver(t, [{ begun: Date.now(), org: 'acme' }])).sent, ['a', 'b', 'c']);
});

t.test('an org that waits for an operator does not delay the others', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'quotagate-spool-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  const sent: string[] = [];
  let found = (): void => undefined;
  const delivered = new Promise<string>((resolve, reject) => {
    const spool = openSpool({
      path,
      deliver: ({ org, producer }) => {
        sent.push(producer);
        return new Promise((done) => {
          if (org !== 'lost') done();
          else found = done;
        });
      },
      onDelivered: (file) => resolve(file),
      onTrouble: (_, error) => reject(error),
    });
    t.teardown(() => spool.close());
    const [first, second, third] = CALLS as [UndeliveredCall, UndeliveredCall, UndeliveredCall];
    const lost = [first, second].map((call) => ({ ...call, org: 'lost' }));
    void spool.write([...lost, third]).then(() => spool.start());
  });
  await until('the other org is served', () => sent.includes('c'));
  t.strictSame(sent, ['a', 'c'], 'the calls of one org keep their order');
  found();
  await until('the org is found', () => sent.includes('b'));
  found();
  await delivered;
  t.strictSame(readdirSync(path), []);
});

t.test('a file that was cut off is reported, and what is whole is delivered', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'quotagate-spool-'));
  t.teardown(() => rmSync(path, { recursive: true }));
  const sent: string[] = [];
  const troubles: string[] = [];
  await new Promise<void>((resolve) => {
    const spool = openSpool({
      path,
      deliver: async ({ producer }) => void sent.push(producer),
      onDelivered: () => resolve(),
      onTrouble: (_, error) => troubles.push(String(error)),
    });
    t.teardown(() => spool.close());
    void spool.write(CALLS).then((file) => {
      truncateSync(file, statSync(file).size - 10);
      spool.start();
    });
  });
  t.strictSame(sent, ['a', 'b']);
  t.strictSame(troubles, ['Error: the file lacks 1 calls: it was cut off']);
  const [copy = '', ...others] = readdirSync(path);
  t.match(copy, /\.unreadable$/);
  t.strictSame(others, []);
  t.match(readFileSync(join(path, copy), 'utf8'), /"producer":"c"/, 'a person can read the rest');
});
