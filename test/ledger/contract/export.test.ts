// What a target of the export lacks stays in the journal, up to a bound; past it, the oldest folded entries go and are counted as lost.
import type { Test } from 'tap';
import { decodeExport, encodeExport } from '../../../src/ledger/journal-export.js';
import { fixed, onBoth, reserve, type TestOrg } from '../../support/ledgers.js';

const ORG = { plans: { usage: 1_000_000 }, users: { ana: 'a:' } };
const TARGET = { last: '', lost: 0, at: 1, error: '' };

async function append(testOrg: TestOrg, entries: number): Promise<void> {
  for (let count = 0; count < entries; count += 1) await testOrg.call([reserve('ana', fixed('usage', 1))]);
}

async function ids(testOrg: TestOrg): Promise<string[]> {
  return (await testOrg.ledger.log(testOrg.org, 'journal', '', 1_000)).map(({ id }) => id);
}

async function fold(testOrg: TestOrg, to: string): Promise<void> {
  const from = (await testOrg.ledger.pendingWork(testOrg.org))?.fold ?? '';
  if (!(await testOrg.ledger.fold(testOrg.org, { from, to, puts: [] }))) throw new Error('not folded');
}

async function noted(testOrg: TestOrg, target: string): Promise<string | null> {
  const { values } = await testOrg.ledger.read(testOrg.org, [{ table: 'exports', fields: [target] }]);
  return values[0]?.[0] ?? null;
}

/** Changes what the org notes of a target, whatever it is. */
async function has(testOrg: TestOrg, target: string, last: string): Promise<void> {
  const was = await noted(testOrg, target);
  const next = encodeExport({ ...(was === null ? TARGET : decodeExport(was)), last });
  if (!(await testOrg.ledger.stepExport(testOrg.org, { target, was, next }))) throw new Error('no step');
}

const trim = (testOrg: TestOrg, most: number) => testOrg.ledger.trimJournal(testOrg.org, most);

onBoth('a folded entry stays until every target has it', ORG, async (t, testOrg) => {
  await has(testOrg, 'bills', '');
  await has(testOrg, 'files', '');
  await append(testOrg, 3);
  const [first = '', second = '', third = ''] = await ids(testOrg);
  await fold(testOrg, second);
  t.same(await ids(testOrg), [first, second, third], 'folded, and not exported');
  await has(testOrg, 'bills', third);
  t.same(await ids(testOrg), [first, second, third], 'one target lacks them');
  await has(testOrg, 'files', first);
  t.same(await ids(testOrg), [second, third]);
  await has(testOrg, 'files', third);
  t.same(await ids(testOrg), [third], 'exported, and not folded');
  await fold(testOrg, third);
  t.same(await ids(testOrg), []);
});

onBoth('more than a thousand entries are deleted in several calls', ORG, async (t, testOrg) => {
  await has(testOrg, 'bills', '');
  await append(testOrg, 1_200);
  const last = (await testOrg.ledger.logBack(testOrg.org, 'journal', '', 1))[0]?.id ?? '';
  await fold(testOrg, last);
  t.match(await testOrg.ledger.pendingWork(testOrg.org), { firstEntry: '', journalLength: 1_200 });
  await has(testOrg, 'bills', last);
  while ((await trim(testOrg, 1_000_000)).trimmed > 0);
  t.match(await testOrg.ledger.pendingWork(testOrg.org), { journalLength: 0 });
});

onBoth('a step is refused where the target is not as it was read', ORG, async (t, testOrg) => {
  const step = (was: string | null, next: string | null) =>
    testOrg.ledger.stepExport(testOrg.org, { target: 'bills', was, next });
  t.equal(await step('1-0|0|1|', '2-0|0|1|'), false, 'there is none');
  t.equal(await step(null, '|0|1|'), true);
  t.equal(await step(null, '|0|1|'), false, 'there is one');
  t.equal(await step('|0|1|', '1-0|0|2|a | b'), true);
  t.equal(await step('|0|1|', '2-0|0|2|'), false, 'another one');
  t.same(decodeExport((await noted(testOrg, 'bills')) ?? ''), {
    last: '1-0',
    lost: 0,
    at: 2,
    error: 'a | b',
  });
  t.equal(await step('1-0|0|2|a | b', null), true);
  t.equal(await noted(testOrg, 'bills'), null);
  const nobody = { target: 'bills', was: null, next: '|0|1|' };
  t.equal(await testOrg.ledger.stepExport('nobody', nobody), false, 'no such org');
});

onBoth('maintenance sees what each target lacks', ORG, async (t, testOrg) => {
  await has(testOrg, 'bills', '');
  t.match(await testOrg.ledger.pendingWork(testOrg.org), {
    journalLength: 0,
    exports: [{ target: 'bills', text: '|0|1|', firstWaiting: '' }],
  });
  await append(testOrg, 2);
  const [first = '', second = ''] = await ids(testOrg);
  const waiting = async () => (await testOrg.ledger.pendingWork(testOrg.org))?.exports[0]?.firstWaiting;
  t.equal(await waiting(), first);
  await has(testOrg, 'bills', first);
  t.equal(await waiting(), second);
  await has(testOrg, 'bills', second);
  t.equal(await waiting(), '');
});

onBoth('a target that is removed keeps nothing', ORG, async (t, testOrg) => {
  await has(testOrg, 'bills', '');
  await append(testOrg, 2);
  const [, last = ''] = await ids(testOrg);
  await fold(testOrg, last);
  await testOrg.ledger.stepExport(testOrg.org, { target: 'bills', was: '|0|1|', next: null });
  t.same(await ids(testOrg), []);
});

onBoth('past the bound the oldest folded entries go, and count as lost', ORG, async (t, testOrg) => {
  await has(testOrg, 'bills', '');
  await has(testOrg, 'files', '');
  await append(testOrg, 6);
  const all = await ids(testOrg);
  await fold(testOrg, all[4] ?? '');
  await has(testOrg, 'files', all[1] ?? '');
  t.same(await trim(testOrg, 6), { trimmed: 0, lost: [] });
  const { trimmed, lost } = await trim(testOrg, 3);
  t.equal(trimmed, 3);
  t.same(
    [...lost].sort((a, b) => (a.target < b.target ? -1 : 1)),
    [
      { target: 'bills', entries: 3 },
      { target: 'files', entries: 1 },
    ],
  );
  t.same(await ids(testOrg), all.slice(3));
  t.same(await noted(testOrg, 'bills'), `${all[2]}|3|1|`, 'the target goes on behind them');
  t.same(await noted(testOrg, 'files'), `${all[2]}|1|1|`);
  t.equal((await trim(testOrg, 0)).trimmed, 2);
  t.same(await ids(testOrg), all.slice(5), 'what is not in the history stays');
  t.same(await noted(testOrg, 'bills'), `${all[4]}|5|1|`);
});

onBoth('a journal far past the bound is shortened in several calls', ORG, async (t: Test, testOrg) => {
  await has(testOrg, 'bills', '');
  await append(testOrg, 120);
  await fold(testOrg, (await ids(testOrg)).at(-1) ?? '');
  const counts: number[] = [];
  for (let trimmed = 1; trimmed > 0; counts.push(trimmed)) ({ trimmed } = await trim(testOrg, 10));
  t.same(counts, [50, 50, 10, 0]);
  t.equal(decodeExport((await noted(testOrg, 'bills')) ?? '').lost, 110);
});
