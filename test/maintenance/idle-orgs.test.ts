// Maintenance costs nothing for orgs in which nothing happens, and still finds what is due.

import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { unpack } from '../../src/history/packed.js';
import { FULL_ROUND_MS } from '../../src/maintenance/rounds.js';
import { fixed, held, reserve, TTL_MS } from '../support/ledgers.js';
import { onBothMaintained } from './support.js';

const ORG = { plans: { usage: 1_000 }, users: { ana: 'a:' } };
/** Each process schedules the orgs that it touched once a second. */
const SCHEDULED_MS = 1_200;
const ORGS = 100;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Among so many rounds, one looks for orgs to clean. */
const CLEAN_ROUNDS = 60;
/** Long before the first cycle ends. */
const ROUNDS = 20;

onBothMaintained('idle orgs cost no call', t, async (t, maintained) => {
  for (let org = 0; org < ORGS; org += 1) await maintained.seed(`org${org}`, ORG);
  await delay(SCHEDULED_MS);
  const first = await maintained.rounds(1);
  t.equal(first.pendingWork, ORGS, 'each is looked at when it was created');
  const before = await maintained.storeCalls();
  const beganAt = performance.now();
  t.same(await maintained.rounds(ROUNDS), { takeDue: ROUNDS }, 'one call a round, for all of them');
  const presenceCalls = 1 + Math.ceil((performance.now() - beganAt) / 500);
  const calls = (await maintained.storeCalls()) - before;
  t.ok(calls <= ROUNDS + presenceCalls, `the store counts ${calls} calls of scripts`);
});

onBothMaintained('each idle org costs one look a full round', t, async (t, maintained) => {
  for (let org = 0; org < ORGS; org += 1)
    await maintained.seed(`org${org}`, { ...ORG, plans: { usage: 1_000 } });
  await delay(SCHEDULED_MS);
  await maintained.rounds(1);
  for (let org = 0; org < ORGS; org += 1) {
    const version = (await maintained.ledger.read(`org${org}`, [])).version;
    const changes = [{ set: 'org', field: 'end', value: String(10 * FULL_ROUND_MS) }] as const;
    await maintained.ledger.commit(`org${org}`, { version, changes, audit: '' });
  }
  await delay(SCHEDULED_MS);
  await maintained.rounds(1);
  await maintained.wait(FULL_ROUND_MS);
  const { pendingWork, takeDue, ...others } = await maintained.rounds(1);
  t.equal(pendingWork, ORGS);
  t.equal(takeDue, ORGS / 50 + 1);
  t.same(others, {});
});

onBothMaintained('each org is cleaned once a day', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  const end = String(maintained.now + 10 * DAY_MS);
  await org.commit({ set: 'org', field: 'end', value: end });
  await org.commit({ set: 'org', field: 'rule', value: '{"every":"month","anchor":1,"timeZone":"UTC"}' });
  await maintained.rounds(1);
  await maintained.wait(DAY_MS - HOUR_MS);
  await maintained.rounds(CLEAN_ROUNDS);
  t.same(maintained.cleaned, []);
  await maintained.wait(HOUR_MS);
  await maintained.rounds(CLEAN_ROUNDS);
  t.same(maintained.cleaned, ['acme'], 'what others keep in it, too (onClean)');
  await maintained.wait(HOUR_MS);
  await maintained.rounds(CLEAN_ROUNDS);
  t.same(maintained.cleaned, ['acme']);
});

onBothMaintained(
  'a hold expires a second after its time, in an org without requests',
  t,
  async (t, maintained) => {
    const org = await maintained.seed('acme', ORG);
    await maintained.wait(0);
    await org.call([reserve('ana', held('usage', 5), { hold: 'h' })]);
    await delay(SCHEDULED_MS);
    await maintained.rounds(3);
    t.equal(await org.line('usage:u:ana'), '0+5');
    await maintained.wait(TTL_MS - 5_000);
    await maintained.rounds(1);
    t.equal(maintained.expired, 0);
    await maintained.rounds(2);
    t.equal(maintained.expired, 1);
    t.equal(await org.line('usage:u:ana'), '0+0');
  },
);

onBothMaintained(
  'entries of the last five seconds stay in the journal',
  t,
  async (t, maintained) => {
    const org = await maintained.seed('acme', ORG);
    await maintained.wait(0);
    await org.commit({ set: 'org', field: 'rule', value: '{"every":"hour","timeZone":"UTC"}' });
    for (const [units, seconds] of [
      [1, 7],
      [2, 4],
    ] as const) {
      await org.call([reserve('ana', fixed('usage', units))]);
      await delay(SCHEDULED_MS);
      await maintained.rounds(seconds);
    }
    const texts = await org.texts('journal');
    t.equal(texts.length, 1, 'older ones are folded');
    t.match(texts[0], /usage=2/);
  },
  { onlyEmbedded: true },
);

onBothMaintained('the journal of an org that became idle is folded', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await maintained.wait(0);
  await org.commit({ set: 'org', field: 'rule', value: '{"every":"hour","timeZone":"UTC"}' });
  await org.call([reserve('ana', fixed('usage', 5))]);
  await delay(SCHEDULED_MS);
  await maintained.rounds(13);
  t.same(await org.texts('journal'), []);
  const texts = await org.fields('history:shared:1970-01-01');
  t.same(unpack(texts.o ?? '').sections.get('usage|maps||'), new Map([[0, { units: 5, raw: 5 }]]));
});

onBothMaintained('a full round finds what a killed process did not schedule', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await org.commit({ set: 'org', field: 'end', value: String(10 * FULL_ROUND_MS) });
  await maintained.wait(0);
  await delay(SCHEDULED_MS);
  await maintained.rounds(3);
  // Within the second before it is scheduled, as if the process ended then.
  await org.call([reserve('ana', held('usage', 5), { hold: 'h' })], {
    cycles: [{ start: 1_000_000, end: 10 * FULL_ROUND_MS }],
  });
  await maintained.ledger.takeDue('visit', 10, FULL_ROUND_MS);
  await maintained.wait(FULL_ROUND_MS);
  await maintained.rounds(2);
  t.equal(maintained.expired, 1);
});

onBothMaintained('an org that does not exist leaves the schedule', t, async (t, maintained) => {
  await maintained.ledger.schedule('visit', [{ org: 'nobody', at: 0 }]);
  t.match(await maintained.rounds(1), { pendingWork: 1, unschedule: 1 });
  await maintained.wait(FULL_ROUND_MS);
  t.same(await maintained.rounds(1), { takeDue: 1 });
});

onBothMaintained('an org whose visit failed is visited again in the next round', t, async (t, maintained) => {
  const org = await maintained.seed('acme', ORG);
  await maintained.wait(0);
  await org.call([reserve('ana', fixed('usage', 5))]);
  await org.commit({ set: 'org', field: 'rule', value: 'not JSON' });
  await delay(SCHEDULED_MS);
  await maintained.rounds(13);
  t.ok(maintained.errors.splice(0).length > 0);
  await org.commit({ set: 'org', field: 'rule', value: '{"every":"hour","timeZone":"UTC"}' });
  await maintained.rounds(1);
  t.same(await org.texts('journal'), []);
});
