// Each call that charges appends one entry; folding moves entries into history, once: folded + tail = what was charged.
import { decodeJournal } from '../../../src/ledger/codec.js';
import {
  ADMISSION,
  BEGIN_MS,
  fixed,
  gate,
  held,
  onBoth,
  refund,
  release,
  renew,
  reserve,
  settle,
  type TestOrg,
  TTL_MS,
} from '../../support/ledgers.js';

const ORG = { plans: { usage: 1000, lds: 100 }, users: { ana: 'a:g1,g2', bob: 'a:' }, groups: ['g1', 'g2'] };

async function journaled(testOrg: TestOrg, user: string): Promise<number> {
  let sum = 0;
  for (const text of await testOrg.texts('journal'))
    for (const line of decodeJournal(text))
      if (line.user === user)
        for (const charge of line.charges) if (charge.quota === 'usage') sum += charge.units;
  return sum;
}

onBoth('one entry a call, one line a charge: who, groups, action and units', ORG, async (t, testOrg) => {
  await testOrg.call([
    reserve('ana', [fixed('usage', 2), fixed('lds', 1)]),
    reserve('bob', fixed('usage', 5)),
  ]);
  const entries = await testOrg.ledger.log(testOrg.org, 'journal', '', 10);
  t.equal(entries.length, 1);
  t.same(decodeJournal(entries[0]?.text ?? ''), [
    {
      at: BEGIN_MS,
      user: 'ana',
      groups: ['g1', 'g2'],
      action: 'maps',
      charges: [
        { quota: 'usage', units: 2, raw: 2 },
        { quota: 'lds', units: 1, raw: 1 },
      ],
      estimated: false,
      key: '',
      model: '',
    },
    {
      at: BEGIN_MS,
      user: 'bob',
      groups: [],
      action: 'maps',
      charges: [{ quota: 'usage', units: 5, raw: 5 }],
      estimated: false,
      key: '',
      model: '',
    },
  ]);
});

onBoth('a call that charges nothing leaves no entry', ORG, async (t, testOrg) => {
  await testOrg.call([]);
  await testOrg.call([reserve('ana', gate('usage')), reserve('ana', fixed('usage', 1001))]);
  await testOrg.call([reserve('ana', held('usage', 5), { hold: 'h' }), release('h')]);
  t.same(await testOrg.texts('journal'), []);
});

onBoth('its sum is what is consumed, after every kind of operation', ORG, async (t, testOrg) => {
  const hold = (id: string) => reserve('ana', [held('usage', 10), fixed('lds', 1)], { hold: id });
  const progress = { quotas: ['usage', 'lds'], units: [3, 1], more: [2, 0] };
  const steps = [
    [reserve('ana', fixed('usage', 7)), hold('a'), hold('b'), hold('c'), hold('d')],
    [settle('a', [4, 1]), settle('b', [40, 1], true), release('c'), renew('d', 0, 0, progress)],
    [refund('ana', fixed('usage', 7), { groups: 'g1,g2' })],
  ];
  for (const [index, ops] of steps.entries()) {
    await testOrg.call(ops, { ...ADMISSION, seq: index + 1 });
    t.equal(
      await testOrg.line('usage:u:ana'),
      `${await journaled(testOrg, 'ana')}+${ops === steps[0] ? 40 : 12}`,
    );
  }
  await testOrg.at(BEGIN_MS + TTL_MS);
  await testOrg.call([]);
  t.equal(await testOrg.line('usage:u:ana'), `${await journaled(testOrg, 'ana')}+0`);
  await testOrg.call([settle('d', [9, 1])]);
  t.equal(await testOrg.line('usage:u:ana'), `${await journaled(testOrg, 'ana')}+0`);
  t.equal(await journaled(testOrg, 'ana'), 4 + 40 + 9);
});

onBoth('a fold moves entries into history once, and keeps the tail', ORG, async (t, testOrg) => {
  for (const units of [1, 2, 4]) await testOrg.call([reserve('ana', fixed('usage', units))]);
  const [first, second, third] = await testOrg.ledger.log(testOrg.org, 'journal', '', 10);
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('three entries are missing');
  const puts = [
    { table: 'history:day', field: 'ana', value: '3' },
    { table: 'history:hour', field: 'ana', value: '3' },
  ] as const;
  const fold = { from: '', to: second.id, puts };
  t.equal(await testOrg.ledger.fold(testOrg.org, fold), true);
  t.equal(await testOrg.ledger.fold(testOrg.org, fold), false, 'another folder was there before');
  t.same(await testOrg.fields('history:day'), { ana: '3' });
  t.same(await testOrg.fields('history:hour'), { ana: '3' });
  t.same(await testOrg.ledger.log(testOrg.org, 'journal', '', 10), [third]);
  t.equal(await testOrg.ledger.fold(testOrg.org, { from: first.id, to: third.id, puts }), false);
  const next = {
    from: second.id,
    to: third.id,
    puts: [{ table: 'history:day', field: 'ana', value: '7' }],
  } as const;
  t.equal(await testOrg.ledger.fold(testOrg.org, next), true);
  t.same(await testOrg.fields('history:day'), { ana: '7' });
  t.same(await testOrg.texts('journal'), []);
  await testOrg.call([reserve('ana', fixed('usage', 8))]);
  t.equal(
    (await testOrg.ledger.log(testOrg.org, 'journal', third.id, 10)).length,
    1,
    'new entries come after the fold',
  );
});

onBoth('a fold of several parts writes each once, and ends with the last', ORG, async (t, testOrg) => {
  for (const units of [1, 2]) await testOrg.call([reserve('ana', fixed('usage', units))]);
  const [first, second] = await testOrg.ledger.log(testOrg.org, 'journal', '', 10);
  const part = (units: number, before: string, after: string) =>
    testOrg.ledger.fold(testOrg.org, {
      from: '',
      to: second?.id ?? '',
      before,
      after,
      puts: [{ table: 'history:day', field: `part${units}`, value: String(units) }],
    });
  t.equal(await part(2, 'one', ''), false, 'the first part is missing');
  t.equal(await part(1, '', 'one'), true);
  t.equal(await part(1, '', 'one'), false, 'the first part again');
  t.equal(await part(3, '', ''), false, 'a whole fold beside it');
  t.equal((await testOrg.ledger.pendingWork(testOrg.org))?.folding, 'one');
  t.equal((await testOrg.ledger.pendingWork(testOrg.org))?.firstEntry, first?.id, 'all entries are there');
  t.equal(await part(2, 'one', ''), true);
  t.equal(await part(2, 'one', ''), false, 'the last part again');
  t.same(await testOrg.fields('history:day'), { part1: '1', part2: '2' });
  t.match(await testOrg.ledger.pendingWork(testOrg.org), { folding: '', firstEntry: '', fold: second?.id });
  t.same(await testOrg.texts('journal'), []);
});

onBoth('a fold of an unknown org does nothing', ORG, async (t, testOrg) => {
  t.equal(await testOrg.ledger.fold('nobody', { from: '', to: '1-0', puts: [] }), false);
  t.same((await testOrg.ledger.read('nobody', [{ table: 'org', fields: ['fold'] }])).values, [[null]]);
});

onBoth('a log is read in pages', ORG, async (t, testOrg) => {
  for (const units of [1, 2, 3, 4, 5]) await testOrg.call([reserve('bob', fixed('usage', units))]);
  const found: string[] = [];
  let after = '';
  for (;;) {
    const page = await testOrg.ledger.log(testOrg.org, 'journal', after, 2);
    if (page.length === 0) break;
    found.push(...page.map((entry) => entry.text));
    after = page.at(-1)?.id ?? '';
  }
  t.same(
    found.map((text) => text.at(-2)),
    ['1', '2', '3', '4', '5'],
  );
});
