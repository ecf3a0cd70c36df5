// No log grows without bound: what is past its retention goes, also in orgs in which nothing happens.
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { FULL_ROUND_MS } from '../../src/maintenance/rounds.js';
import { fixed, reserve } from '../support/ledgers.js';
import { LOGS_KEPT, onBothMaintained } from './support.js';

const ORG = { plans: { usage: 1_000 }, users: { ana: 'a:' } };
const HOUR_MS = 3_600_000;
/** Each process schedules the orgs that it touched once a second. */
const SCHEDULED_MS = 1_200;

onBothMaintained('after an idle hour no log holds more than its retention', t, async (t, maintained) => {
  // Streams of Redis have real times, so the clock of this test begins with them.
  await maintained.wait(Date.now() - maintained.now);
  const { ledger } = maintained;
  const org = await maintained.seed('acme', ORG);
  await maintained.wait(0);
  const end = String(maintained.now + 10 * HOUR_MS);
  const start = String(maintained.now - HOUR_MS);
  await org.commit({ set: 'org', field: 'start', value: start }, { set: 'org', field: 'end', value: end });
  await org.commit({ set: 'org', field: 'rule', value: '{"every":"hour","anchor":0,"timeZone":"UTC"}' });
  const cycles = [{ start: Number(start), end: Number(end) }];
  for (let entry = 0; entry < 300; entry += 1) {
    await ledger.append('acme', 'audit', '{}');
    await ledger.append('acme', 'events', '{}');
    await ledger.append('*tokens*', 'audit', '{}');
  }
  await org.call([reserve('ana', fixed('usage', 5))], { cycles });
  await delay(SCHEDULED_MS);
  await maintained.rounds(3);
  t.equal((await org.texts('audit')).length, 300, 'young entries stay');
  await maintained.rounds((LOGS_KEPT.eventsMs + FULL_ROUND_MS) / 1_000);
  t.same(await org.texts('events'), []);
  await maintained.rounds((HOUR_MS - LOGS_KEPT.eventsMs - FULL_ROUND_MS) / 1_000);
  t.same(await org.texts('audit'), []);
  t.same(await org.texts('journal'), [], 'the journal is folded');
  t.same(await ledger.log('*tokens*', 'audit', '', 10), [], 'system data too');
});
