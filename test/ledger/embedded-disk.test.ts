// The embedded ledger on disk: a clean stop loses nothing, a kill at most the last second, and one process has it.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import t, { type Test } from 'tap';
import { decodeJournal } from '../../src/ledger/codec.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { LevelDisk } from '../../src/ledger/embedded/persist.js';
import {
  BEGIN_MS,
  type ClockedLedger,
  dumpOf,
  fixed,
  held,
  openClockedMemory,
  release,
  reserve,
  set,
  settle,
  TestOrg,
} from '../support/ledgers.js';

const SETUP = {
  plans: { usage: 1_000_000 },
  users: { ana: 'a:g1' },
  groups: ['g1'],
  limits: { 'usage:u:ana': 900_000 },
};
const WRITE = 'write';
const SECOND_MS = 1000;

const orgOf = ({ ledger, setClock }: ClockedLedger): TestOrg => new TestOrg(ledger, 'acme', setClock);

/** In a process of its own: charges one unit at a time and tells how many it has charged. */
async function writeUntilKilled(path: string): Promise<void> {
  const opened = await openClockedMemory(path);
  const testOrg = orgOf(opened);
  await testOrg.seed(SETUP);
  for (let count = 1; ; count += 1) {
    await testOrg.call([reserve('ana', fixed('usage', 1))]);
    process.send?.(count);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The change feed is not kept: the copies that follow it end with the process. */
function onDisk(dump: string): string {
  return JSON.stringify({ ...JSON.parse(dump), changes: [] }, null, 1);
}

if (process.argv[2] === WRITE) await writeUntilKilled(process.argv[3] ?? '');
else {
  t.test('a clean stop loses nothing', async (t) => {
    const path = join(t.testdir({}), 'data');
    const first = await openClockedMemory(path);
    const testOrg = orgOf(first);
    await testOrg.seed(SETUP);
    await testOrg.call([
      reserve('ana', fixed('usage', 5)),
      reserve('zed', held('usage', 7), { hold: 'h', ttlMs: 50 }),
    ]);
    await testOrg.call([reserve('ana', held('usage', 3), { hold: 'k', ttlMs: 20 }), release('v', 'keep')]);
    await testOrg.commit(set('records', 'a/b', 'text'), set('limits', 'usage:u:ana', 10));
    const before = onDisk(await testOrg.dump());
    await first.close();

    const second = await openClockedMemory(path);
    t.teardown(() => second.close());
    await second.setClock(BEGIN_MS);
    t.equal(onDisk(await dumpOf(second.ledger, 'acme')), before);
    t.same(await second.ledger.orgs(), ['acme']);
    const again = orgOf(second);
    t.same(await again.statuses([reserve('ana', fixed('usage', 6)), reserve('ana', fixed('usage', 2))]), [
      'spent',
      'admitted',
    ]);
    t.same(await again.statuses([reserve('ana', held('usage', 1), { hold: 'v' })]), ['voided']);
    await again.at(BEGIN_MS + 20);
    t.match(await again.apply([]), { expired: 1 }, 'holds fall due in their order');
    t.same(await again.statuses([settle('h', 1), settle('k', 1)]), ['settled', 'settled']);
  });

  t.test('entries after a start come after those of before, folded ones too', async (t) => {
    const path = join(t.testdir({}), 'data');
    const first = await openClockedMemory(path);
    const testOrg = orgOf(first);
    await testOrg.seed(SETUP);
    for (const units of [1, 2, 3]) await testOrg.call([reserve('ana', fixed('usage', units))]);
    const to = (await first.ledger.log('acme', 'journal', '', 10)).at(-1)?.id ?? '';
    t.equal(await first.ledger.fold('acme', { from: '', to, puts: [] }), true);
    await first.close();
    const second = await openClockedMemory(path);
    t.teardown(() => second.close());
    const again = orgOf(second);
    await again.at(BEGIN_MS - SECOND_MS);
    await again.call([reserve('ana', fixed('usage', 4))]);
    await again.call([reserve('ana', fixed('usage', 5))]);
    const tail = await second.ledger.log('acme', 'journal', to, 10);
    t.same(
      tail.map((entry) => entry.text),
      ['1500000|ana|g1|maps|usage=4|', '1500000|ana|g1|maps|usage=5|'],
    );
  });

  t.test('one process has it', async (t) => {
    const path = join(t.testdir({}), 'data');
    const first = await openEmbedded({ path });
    await t.rejects(openEmbedded({ path }), /another process has it open/);
    await first.close();
    await (await openEmbedded({ path })).close();
  });

  t.test('a kill loses at most the last second, and leaves no half of a call', async (t) => {
    const path = join(t.testdir({}), 'data');
    const child = fork(import.meta.filename, [WRITE, path], { stdio: 'ignore' });
    const reports: { at: number; count: number }[] = [];
    await new Promise<void>((resolve) => {
      child.on('message', (count: number) => {
        reports.push({ at: Date.now(), count });
        const first = reports[0];
        if (first !== undefined && Date.now() - first.at > 1.5 * SECOND_MS) resolve();
      });
    });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const killedAt = Date.now();
    child.kill('SIGKILL');
    await exited;
    const opened = await openClockedMemory(path);
    t.teardown(() => opened.close());
    const testOrg = orgOf(opened);
    await testOrg.at(BEGIN_MS);
    const before = reports.filter(({ at }) => at < killedAt - SECOND_MS).at(-1)?.count ?? 0;
    const [consumed = 0] = (await testOrg.line('usage:o')).split('+').map(Number);
    t.ok(before > 0, `${before} calls more than a second before the kill`);
    t.ok(consumed >= before, `${consumed} of ${reports.at(-1)?.count} calls are there`);
    t.equal(await testOrg.line('usage:u:ana'), `${consumed}+0`);
    t.equal(await testOrg.line('usage:g:g1'), `${consumed}+0`);
    const journal = await opened.ledger.log('acme', 'journal', '', 1_000_000);
    t.equal(journal.flatMap((entry) => decodeJournal(entry.text)).length, consumed);
  });

  t.test('a turn of the event loop adds few changes to a batch; all are in one synced batch', async (t) => {
    const { disk, seen, close } = await openWatched(t);
    const changes = 3_000;
    const change = (count: number, value: string): void => {
      for (let field = 0; field < count; field += 1) disk.onChange('acme/limits/', `${field}`, value);
    };
    change(changes, 'first');
    const quiet = await mostPerTurn(seen, changes);
    t.ok(quiet <= 128, `at most ${quiet} in one turn`);
    await until(() => seen.batches.length === 1);
    t.same(seen.batches, [{ changes, sync: true }]);

    change(changes, 'second');
    let turns = 0;
    const busy = await mostPerTurn(seen, 2 * changes, () => {
      turns += 1;
      for (let field = 0; field < 1_000; field += 1) disk.onChange('acme/users/', `${turns}.${field}`, 'new');
    });
    t.ok(busy > 128 && busy <= 512, `turns that make 1,000 changes: ${busy} in one turn`);
    await close();
    t.equal(seen.added, 2 * changes + turns * 1_000, 'a clean stop writes everything');
  });

  t.test('one batch at a time, with the values of the moment when it began', async (t) => {
    const { disk, level, seen, close } = await openWatched(t);
    const consumed = (value: number): void => {
      disk.onChange('acme/org/', 'now', value);
      for (let field = 0; field < 1_000; field += 1) disk.onChange('acme/consumed:1/', `${field}`, value);
      disk.onChange('acme/consumed:1/', 'dropped', value === 1 ? 1 : undefined);
    };
    const releaseFirst = seen.hold();
    consumed(1);
    await until(() => seen.added > 0);
    consumed(2);
    await until(() => seen.started === 1);
    await delay(SECOND_MS / 2);
    t.equal(seen.started, 1, 'the second batch waits for the first');
    const releaseSecond = seen.hold();
    releaseFirst();
    await until(() => seen.batches.length === 1);
    const fields = ['acme/org/now', 'acme/consumed:1/0', 'acme/consumed:1/999', 'acme/consumed:1/dropped'];
    t.same(await level.getMany(fields), ['1', '1', '1', '1']);
    releaseSecond();
    await until(() => seen.batches.length === 2);
    t.same(await level.getMany(fields), ['2', '2', '2', undefined]);
    await close();
  });

  t.test('changes are synced within a second, and nothing is written without changes', async (t) => {
    const { disk, seen, close } = await openWatched(t);
    const until = performance.now() + 1.5 * SECOND_MS;
    for (let count = 0; performance.now() < until; count += 1) {
      disk.onChange('acme/org/', 'now', count);
      await delay(1);
    }
    t.ok(seen.batches.length >= 2, `${seen.batches.length} in 1.5 seconds`);
    t.ok(seen.batches.every(({ sync }) => sync));
    await delay(SECOND_MS / 2);
    const { started } = seen;
    await delay(SECOND_MS / 2);
    t.equal(seen.started, started);
    t.equal(disk.late, false);
    await close();
    t.equal(seen.started, started, 'a clean stop neither');
  });

  t.test('calls and commits wait while a change older than a second is not on disk', async (t) => {
    const { prototype } = ClassicLevel;
    const { batch } = prototype;
    t.teardown(() => {
      prototype.batch = batch;
    });
    const seen = new Seen();
    prototype.batch = function (this: ClassicLevel<string, string>) {
      return seen.watch(batch.call(this) as ReturnType<typeof this.batch>);
    } as typeof batch;
    const opened = await openClockedMemory(join(t.testdir({}), 'data'));
    t.teardown(() => opened.close());
    const testOrg = orgOf(opened);
    const release = seen.hold();
    await testOrg.seed(SETUP);
    t.same(await testOrg.statuses([reserve('ana', fixed('usage', 1))]), ['admitted'], 'at first they do not');
    await delay(1.2 * SECOND_MS);
    const done: string[] = [];
    const call = testOrg.statuses([reserve('ana', fixed('usage', 1))]).then(() => done.push('call'));
    const commit = testOrg.commit(set('limits', 'usage:u:ana', 10)).then(() => done.push('commit'));
    await delay(SECOND_MS / 10);
    t.same(done, []);
    t.equal(await testOrg.line('usage:u:ana'), '1+0', 'the call has not run');
    release();
    await Promise.all([call, commit]);
    t.equal(await testOrg.line('usage:u:ana'), '2+0');
  });

  t.test('a full disk: nothing is answered until writes succeed again, then service resumes', async (t) => {
    const path = join(t.testdir({}), 'data');
    const level = new ClassicLevel<string, string>(path);
    const disk = new LevelDisk(level, 20);
    let full = true;
    const { batch } = level;
    let tries = 0;
    level.batch = ((...args: []) => {
      tries += 1;
      if (full) throw new Error('No space left on device');
      return batch.apply(level, args);
    }) as typeof level.batch;
    await level.open();
    disk.onChange('acme/org/', 'epoch', 'e1');
    disk.onChange('acme/org/', 'now', 1);
    await until(() => disk.failure !== undefined && tries > 2);
    t.match(disk.failure, /No space left/);
    disk.onChange('acme/org/', 'now', 2);
    full = false;
    await until(() => disk.failure === undefined);
    await disk.close();
    const again = await openEmbedded({ path });
    t.teardown(() => again.close());
    const { values } = await again.read('acme', [{ table: 'org', fields: ['epoch', 'now'] }]);
    t.same(values, [['e1', '2']], 'what could not be written, and what came since');
  });
}

type Batch = ReturnType<ClassicLevel<string, string>['batch']>;

/** Watches batches: what is added to them, and when they are written. */
class Seen {
  /** Batches whose write was requested, and those that are written. */
  started = 0;
  readonly batches: { readonly changes: number; readonly sync: boolean | undefined }[] = [];
  private readonly made: Batch[] = [];
  private gate: Promise<void> = Promise.resolve();

  /** Changes in all batches. */
  get added(): number {
    return this.made.reduce((sum, { length }) => sum + length, 0);
  }

  /** Stops writes; returns the function that lets them go on. */
  hold(): () => void {
    let open: () => void = () => undefined;
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    return () => open();
  }

  watch(batch: Batch): Batch {
    this.made.push(batch);
    const { write } = batch;
    batch.write = (async (options: { sync?: boolean }) => {
      this.started += 1;
      await this.gate;
      await write.call(batch, options);
      this.batches.push({ changes: batch.length, sync: options.sync });
    }) as typeof write;
    return batch;
  }
}

async function openWatched(
  t: Test,
): Promise<{ disk: LevelDisk; level: ClassicLevel<string, string>; seen: Seen; close(): Promise<void> }> {
  const level = new ClassicLevel<string, string>(join(t.testdir({}), 'data'));
  await level.open();
  const seen = new Seen();
  const { batch } = level;
  level.batch = (() => seen.watch(batch.call(level) as Batch)) as typeof level.batch;
  const disk = new LevelDisk(level);
  return { disk, level, seen, close: () => disk.close() };
}

/** Until so many changes are added: the most that were added in one turn of the event loop. */
async function mostPerTurn(seen: Seen, count: number, eachTurn = (): void => undefined): Promise<number> {
  let most = 0;
  for (let before = seen.added; seen.added < count; before = seen.added) {
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, seen.added - before);
    if (seen.added > 0) eachTurn();
  }
  return most;
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !isSo(); tries += 1) await delay(10);
}
