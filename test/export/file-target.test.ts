// Events as JSON lines: files by size and day, and what a failure leaves.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileTarget } from '../../src/export/targets/file.js';

const NOON = Date.parse('2026-05-22T12:00:00Z');
const DAY_MS = 24 * 3_600_000;

/** The ids in each file, by the names of the files. */
function idsIn(folder: string): string[][] {
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .map((text) => text.split('\n').slice(0, -1))
    .map((lines) => lines.map((line) => JSON.parse(line).id));
}

function targetIn(t: Test, folder: string, clock: () => number, bytesMax = 1_000) {
  const target = fileTarget({ name: 'archive', folder, bytesMax, clock });
  t.teardown(() => target.close());
  return target;
}

const event = (id: number | string, size = 0): string => JSON.stringify({ id, pad: 'x'.repeat(size) });

t.test('a file that is full, or of another day, gets no more', async (t) => {
  const folder = join(t.testdir(), 'made', 'here');
  let now = NOON;
  const target = targetIn(t, folder, () => now);
  await target.send([event(1), event(2)]);
  await target.send([event(3, 1_000)]);
  t.same(idsIn(folder), [[1, 2, 3]], 'a batch is not torn apart');
  now += 1_000;
  await target.send([event(4)]);
  now += DAY_MS;
  await target.send([event(5)]);
  t.same(idsIn(folder), [[1, 2, 3], [4], [5]]);
  t.match(readdirSync(folder).sort()[0], /^archive-2026-05-22T120000Z-[0-9a-f]{8}\.jsonl$/);
});

t.test('batches that come at once do not mix', async (t) => {
  const folder = t.testdir();
  const target = targetIn(t, folder, () => NOON, 1_000_000);
  const batches = Array.from({ length: 20 }, (_, batch) => [0, 1, 2].map((one) => event(`${batch}.${one}`)));
  await Promise.all(batches.map((events) => target.send(events)));
  const expected = batches.flatMap((_, batch) => [0, 1, 2].map((one) => `${batch}.${one}`));
  t.same(idsIn(folder), [expected]);
});

t.test('two processes write files of their own', async (t) => {
  const folder = t.testdir();
  await Promise.all([1, 2].map((id) => targetIn(t, folder, () => NOON).send([event(id)])));
  t.same(idsIn(folder).sort(), [[1], [2]]);
});

t.test('a folder that cannot be written to is an error, until it can', async (t) => {
  const folder = join(t.testdir(), 'archive');
  writeFileSync(folder, '');
  const target = targetIn(t, folder, () => NOON);
  await t.rejects(target.send([event(1)]), { name: 'ExportError', message: /not written: EEXIST/ });
  rmSync(folder);
  mkdirSync(folder);
  await target.send([event(1)]);
  t.same(idsIn(folder), [[1]]);
});
