// A temporary raise adds units to a limit until a time of the store's clock, and ends by itself or with its limit.

import t from 'tap';
import { fixed, reserve } from '../support/ledgers.js';
import { applyNow, bearer, NOON, NOTICES, onBothLedgers, problem, startAcme, TOKEN } from './support.js';

const HOUR_MS = 3_600_000;
const UNTIL = new Date(NOON + HOUR_MS).toISOString();
const RAISE = { units: 50, until: UNTIL, reason: 'release week' };

onBothLedgers('it counts for the next request, and ends by itself', async (t, { one, ledger, setClock }) => {
  const use = async (units: number) => {
    const [result] = (await applyNow(ledger, 'acme', [reserve('ann', fixed('ai', units))])).results;
    return result?.status;
  };
  await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 100 });
  t.equal(await use(101), 'refused');
  const raised = await one('POST', '/orgs/acme/limits/ai:u:ann/raise', RAISE);
  t.equal(raised.status, 200);
  t.match(raised.body, { units: 100, cap: 150, remaining: 150, raise: { units: 50, until: UNTIL } });
  t.equal(raised.headers.get('etag'), raised.body.etag);
  t.equal(await use(101), 'admitted');
  t.match((await one('GET', '/orgs/acme/limits')).body.items[0], { cap: 150, raise: { units: 50 } });
  const shown = (await one('GET', '/orgs/acme/overview')).body.quotas;
  t.same(shown[1].caps.raises, { count: 1, until: UNTIL });
  t.same(shown[0].caps.raises, { count: 0, until: null });

  await setClock(NOON + HOUR_MS - 1);
  t.equal(await use(1), 'admitted');
  await setClock(NOON + HOUR_MS);
  t.equal(await use(1), 'refused');
  const after = (await one('GET', '/orgs/acme/limits/ai:u:ann')).body;
  t.match(after, { cap: 100, consumed: 102, status: 'blocked' });
  t.equal(after.raise, undefined);
  t.equal((await one('GET', '/orgs/acme/overview')).body.quotas[1].caps.raises.count, 0);
});

onBothLedgers('notices above it are armed again, once', async (t, { one, ledger, setClock }) => {
  const use = (units: number) => applyNow(ledger, 'acme', [reserve('ann', fixed('ai', units))]);
  const notices = async () => {
    const entries = await ledger.log('acme', 'outbox', '', 100);
    return entries.map(({ text }) => text.split('|')).map(([what, , , , , , cap]) => `${what} of ${cap}`);
  };
  await one('PUT', '/orgs/acme/notifications', NOTICES);
  await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 100 });
  await use(100);
  t.same(await notices(), ['50 of 100', '80 of 100', '90 of 100', '100 of 100']);
  await one('POST', '/orgs/acme/limits/ai:u:ann/raise', { ...RAISE, units: 100 });
  await use(80);
  t.same((await notices()).slice(4), ['80 of 200', '90 of 200']);
  await setClock(NOON + HOUR_MS);
  await use(1);
  await use(1);
  t.same((await notices()).slice(6), ['refused of 100'], 'its end tells what is blocked, once');
});

t.test('it can be ended, and dies with its limit', async (t) => {
  const { send } = await startAcme(t);
  const limit = { user: 'ann', quota: 'ai', units: 100 };
  await send('POST', '/orgs/acme/limits', limit);
  t.same(problem(await send('DELETE', '/orgs/acme/limits/ai:u:ann/raise')), [404, 'not-found']);
  await send('POST', '/orgs/acme/limits/ai:u:ann/raise', RAISE);
  const dry = await send('DELETE', '/orgs/acme/limits/ai:u:ann/raise?dryRun=true');
  t.match(dry.body, { wouldBlock: false, cap: 100 });
  t.match((await send('PATCH', '/orgs/acme/limits/ai:u:ann', { units: 200 })).body, { cap: 250 }, 'it stays');
  const ended = await send('DELETE', '/orgs/acme/limits/ai:u:ann/raise?reason=done');
  t.match([ended.status, ended.body.cap, ended.body.raise], [200, 200, undefined]);
  await send('POST', '/orgs/acme/limits/ai:u:ann/raise', RAISE);
  await send('DELETE', '/orgs/acme/limits/ai:u:ann');
  t.match((await send('POST', '/orgs/acme/limits', limit)).body, { cap: 100 });
});

t.test('a percent cap is raised by units; another raise replaces the first', async (t) => {
  const { send } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { group: 'eng', quota: 'usage', percent: 20 });
  const raise = (units: number) => send('POST', '/orgs/acme/limits/usage:g:eng/raise', { ...RAISE, units });
  t.match((await raise(0.5)).body, { percent: 20, cap: 1_000.5 });
  t.match((await raise(7)).body, { percent: 20, cap: 1_007 });
});

t.test('audit, dry run and If-Match', async (t) => {
  const { send } = await startAcme(t);
  const made = await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 100 });
  const raise = (match: string, dryRun = false) =>
    send('POST', `/orgs/acme/limits/ai:u:ann/raise${dryRun ? '?dryRun=true' : ''}`, RAISE, {
      'if-match': match,
    });
  t.match((await raise(made.body.etag, true)).body, { id: 'ai:u:ann', wouldBlock: false, cap: 150 });
  t.equal((await raise(made.body.etag)).status, 200);
  t.same(problem(await raise(made.body.etag)), [412, 'version-stale']);
  await send('DELETE', '/orgs/acme/limits/ai:u:ann/raise?reason=done');
  const { items } = (await send('GET', '/orgs/acme/audit')).body;
  const shown = { units: 50, until: UNTIL };
  t.match(items.slice(0, 2), [
    { action: 'limit.raise-end', subject: 'limit:ai:u:ann', from: shown, to: null, reason: 'done' },
    { action: 'limit.raise', subject: 'limit:ai:u:ann', from: null, to: shown, reason: 'release week' },
  ]);
});

t.test('refusals', async (t) => {
  const { send } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { user: 'ann', quota: 'ai', units: 100 });
  const raise = async (over: object, id = 'ai:u:ann') =>
    problem(await send('POST', `/orgs/acme/limits/${id}/raise`, { ...RAISE, ...over }));
  t.same(await raise({}, 'ai:u:bob'), [404, 'not-found']);
  t.same(await raise({}, 'ai:o'), [404, 'not-found']);
  t.same(await raise({ units: 0 }), [422, 'input-invalid', 'units']);
  t.same(await raise({ units: 0.5 }), [422, 'input-invalid', 'units'], 'ai has no decimals');
  t.same(await raise({ units: 9e15 }), [422, 'input-invalid', 'units']);
  t.same(await raise({ until: new Date(NOON).toISOString() }), [422, 'input-invalid', 'until']);
  t.same(await raise({ until: 'tomorrow' }), [422, 'input-invalid', 'until']);
  t.same(await raise({ reason: '' }), [422, 'input-invalid', 'reason']);
  const stranger = await send('POST', '/orgs/acme/limits/ai:u:ann/raise', RAISE, bearer(`${TOKEN}x`));
  t.equal(stranger.status, 401);
});
