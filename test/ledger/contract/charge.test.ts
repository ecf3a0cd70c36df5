// Everything that was served without a decision is charged afterwards, whatever the limits and the directory say.
import type { ChargeOp } from '../../../src/ledger/port.js';
import { type ChargeItem, charges } from '../../../src/quota/charge.js';
import { BEGIN_MS, cycleOf, fixed, held, NONE, onBoth, reserve, START, set } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 100, lds: 10 },
  users: { ana: 'a:g1' },
  groups: ['g1', 'g2'],
  limits: { 'usage:u:ana': 10, 'usage:g:g1': 15 },
};

function charge(user: string, items: readonly ChargeItem[], over: Partial<ChargeOp> = {}): ChargeOp {
  const what = { claims: '', charges: charges('maps', items), at: BEGIN_MS, estimated: false };
  return { kind: 'charge', user, ...what, ...over };
}

onBoth('the charge is on every line and in the journal, at its own time', ORG, async (t, testOrg) => {
  const late = charge('ana', [fixed('usage', 4), fixed('lds', 1)], { at: BEGIN_MS - 60_000, claims: 'g2' });
  t.match(await testOrg.do(late), { status: 'settled', late: true, overshoot: [0, 0] });
  for (const line of ['usage:u:ana', 'usage:g:g1', 'usage:g:g2', 'usage:o'])
    t.equal(await testOrg.line(line), '4+0');
  t.equal(await testOrg.line('lds:o'), '1+0');
  t.same(await testOrg.texts('journal'), [`${BEGIN_MS - 60_000}|ana|g1,g2|maps|usage=4,lds=1|`]);
});

onBoth(
  'it is charged past every limit, the overshoot is reported, and the next request is refused',
  ORG,
  async (t, testOrg) => {
    await testOrg.do(reserve('ana', fixed('usage', 8)));
    t.match(await testOrg.do(charge('ana', [fixed('usage', 20)])), { overshoot: [18] });
    t.equal(await testOrg.line('usage:u:ana'), '28+0');
    t.same(await testOrg.statuses([reserve('ana', fixed('usage', 1))]), ['spent']);
    t.equal((await testOrg.texts('outbox')).length > 0, true, 'the crossed thresholds are reported');
  },
);

onBoth('only the units of the charge itself above a limit are overshoot', ORG, async (t, testOrg) => {
  await testOrg.do(charge('ana', [fixed('usage', 20)]));
  t.match(await testOrg.do(charge('ana', [fixed('usage', 3)])), { overshoot: [3] });
});

onBoth('holds in flight reduce what remains', ORG, async (t, testOrg) => {
  await testOrg.do(reserve('ana', held('usage', 9), { hold: 'h' }));
  t.match(await testOrg.do(charge('ana', [fixed('usage', 3)])), { overshoot: [2] });
  t.equal(await testOrg.line('usage:u:ana'), '3+9');
});

onBoth('an estimate is marked', ORG, async (t, testOrg) => {
  await testOrg.do(charge('ana', [fixed('usage', 4)], { estimated: true }));
  t.same(await testOrg.texts('journal'), [`${BEGIN_MS}|ana|g1|maps|usage=4|e`]);
});

onBoth('a new user is registered, as a request would', ORG, async (t, testOrg) => {
  await testOrg.do(charge('eva', [fixed('usage', 1)]));
  t.equal((await testOrg.fields('members')).eva, 'a:');
});

const STRICT = { ...ORG, seats: 2, users: { ana: 'a:g1', ben: 'n:g1', old: 'r:g2' } };

onBoth('a user who would be refused is charged, but not admitted', STRICT, async (t, testOrg) => {
  await testOrg.commit(set('org', 'seats', 1));
  const one = [fixed('usage', 1)];
  await testOrg.call([charge('ben', one), charge('old', one), charge('eva', one)]);
  t.same(await testOrg.fields('members'), { ana: 'a:g1', ben: 'n:g1', old: 'r:g2' });
  for (const line of ['usage:u:ben', 'usage:u:old', 'usage:u:eva', 'usage:g:g1', 'usage:g:g2'])
    t.equal(await testOrg.line(line), '1+0', line);
  await testOrg.do(charge('kim', one), { unknownUsers: 'deny' });
  t.equal(await testOrg.line('usage:u:kim'), '1+0');
  await testOrg.commit(set('org', 'state', 'archived'));
  await testOrg.do(charge('ana', one));
  t.equal(await testOrg.line('usage:o'), '5+0', 'an archived org too');
});

onBoth('a quota without a plan is counted', ORG, async (t, testOrg) => {
  t.match(await testOrg.do(charge('ana', [fixed('ai', 7)])), { overshoot: [0] });
  t.equal(await testOrg.line('ai:o'), '7+0');
});

const MANY = Array.from({ length: 70 }, (_, index) => `m${index}`);

onBoth('of more groups than can be checked, as many as can', { ...ORG, groups: MANY }, async (t, testOrg) => {
  await testOrg.do(charge('ana', [fixed('usage', 1)], { claims: MANY.join(',') }));
  const lines = Object.keys(await testOrg.fields(`consumed:${START.start}`));
  t.equal(lines.filter((line) => line.startsWith('usage:g:')).length, 64);
  t.equal(await testOrg.line('usage:g:m63'), '1+0');
});

onBoth('it goes to the cycle in which it was served', ORG, async (t, testOrg) => {
  const both = { cycles: [cycleOf(2), START] };
  await testOrg.at(2_000_500);
  const late = charge('ana', [fixed('usage', 4)], { at: START.end - 1 });
  const present = charge('ana', [fixed('usage', 2)], { at: START.end });
  await testOrg.call([late, present], both);
  t.equal(await testOrg.line('usage:u:ana', START.start), '4+0');
  t.equal(await testOrg.line('usage:u:ana', 2_000_000), '2+0');
  await testOrg.call([late], { cycles: [cycleOf(2)] });
  t.equal(
    await testOrg.line('usage:u:ana', 2_000_000),
    '6+0',
    'to the present one where the call names no other',
  );
  const times = (await testOrg.texts('journal')).map((line) => Number(line.split('|')[0]));
  t.same(times, [START.end - 1, START.end, START.end], 'and history has it there too');
});

onBoth(
  'of a cycle in which the org stood still, it is the end of the one before',
  ORG,
  async (t, testOrg) => {
    await testOrg.at(4_000_500);
    const late = charge('ana', [fixed('usage', 4)], { at: 3_500_000 });
    await testOrg.call([late], { cycles: [cycleOf(4), START] });
    t.equal(await testOrg.line('usage:u:ana', START.start), '4+0');
    t.match((await testOrg.texts('journal'))[0], `${START.end - 1}|ana|`);
  },
);

onBoth('a time that the store has not reached is its now', ORG, async (t, testOrg) => {
  await testOrg.do(charge('ana', [fixed('usage', 1)], { at: BEGIN_MS + 9_000_000 }));
  t.same(await testOrg.texts('journal'), [`${BEGIN_MS}|ana|g1|maps|usage=1|`]);
});

onBoth('repeated on its producer it happens once', ORG, async (t, testOrg) => {
  const producer = { producer: 'gw-1.0', seq: 1 };
  const first = await testOrg.apply([charge('ana', [fixed('usage', 4)])], producer);
  t.same(await testOrg.apply([charge('ana', [fixed('usage', 4)])], producer), { ...first, replayed: true });
  await testOrg.apply([NONE], { ...producer, seq: 2 });
  t.equal(await testOrg.line('usage:o'), '4+0');
});
