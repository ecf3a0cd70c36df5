// The embedded ledger waits for nothing, so loops over it must leave the event loop to requests by themselves.
import t from 'tap';
import { foldJournal } from '../../src/maintenance/fold.js';
import { BEGIN_MS, fixed, openClockedMemory, reserve, set, TestOrg } from '../support/ledgers.js';

/** Turns of the event loop while something runs. */
async function turnsOf(run: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let over = false;
  const ended = run().finally(() => {
    over = true;
  });
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  await ended;
  return turns;
}

const NOTHING = { now: 0, version: 1, values: [] };

t.test('folding begins each step in a turn of its own', async (t) => {
  const opened = await openClockedMemory();
  const testOrg = new TestOrg(opened.ledger, 'acme', opened.setClock);
  await testOrg.seed({ plans: { usage: 1_000_000 } });
  await testOrg.commit(set('org', 'rule', '{"every":"hour","timeZone":"UTC"}'));
  const entries = 1_000;
  for (let count = 0; count < entries; count += 1) await testOrg.call([reserve('ana', fixed('usage', 1))]);
  await testOrg.at(BEGIN_MS);
  const turns = await turnsOf(async () => t.equal(await foldJournal(opened.ledger, 'acme'), entries));
  t.ok(turns >= entries / 100, `${turns} turns`);
});

t.test('entries of many lines are counted and parsed in several turns', async (t) => {
  const [entries, lines] = [40, 64];
  const page = Array.from({ length: entries }, (_, entry) => ({
    id: String(entry),
    text: Array.from({ length: lines }, (_, line) => `0|u${entry}-${line}||maps|usage=1|`).join('\n'),
  }));
  const times = { now: 0, end: 1, firstDue: 0, journalLength: 1, journalBytes: 0, exports: [] };
  const others = { firstNotice: '', noticesDue: 0, firstAudit: '', firstEvent: '', stagingAt: 0 };
  const work = { ...others, ...times, firstEntry: '0', fold: '', folding: '', rule: '{"timeZone":"UTC"}' };
  // This store answers at once: all turns are those of folding itself.
  const store = {
    pendingWork: async () => work,
    log: async () => page,
    fold: async () => true,
    read: async () => NOTHING,
  };
  const turns = await turnsOf(async () => t.equal(await foldJournal(store, 'acme'), entries));
  const least = Math.floor((entries * lines) / 512) + Math.floor((entries * lines) / 128);
  t.ok(turns >= least, `${turns} turns`);
});

t.test('a large table is deleted in slices', async (t) => {
  const opened = await openClockedMemory();
  const { ledger } = opened;
  const testOrg = new TestOrg(ledger, 'acme', opened.setClock);
  await testOrg.seed({});
  const count = 5_000;
  const table = 'consumed:5';
  await testOrg.commit(...Array.from({ length: count }, (_, index) => set(table, `${index}`, 1)));
  const turns = await turnsOf(() => ledger.drop('acme', [table]));
  t.ok(turns >= Math.floor(count / 512), `${turns} turns`);
  t.same((await ledger.scan('acme', table, '0', 10)).entries, []);
});
