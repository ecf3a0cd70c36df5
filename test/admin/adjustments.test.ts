// A correction changes what a user consumed in the present cycle, with a reason, and never below 0.
import t from 'tap';
import { fixed, reserve } from '../support/ledgers.js';
import { applyNow, NOON, onBothLedgers, problem, startAcme } from './support.js';

const FIX = { user: 'bob', quota: 'usage', units: -20.5, reason: 'calls of a broken client' };

onBothLedgers('all figures follow, and the audit log has the reason', async (t, { one, ledger }) => {
  await applyNow(ledger, 'acme', [reserve('bob', fixed('usage', 1_000)), reserve('ann', fixed('usage', 7))]);
  const made = await one('POST', '/orgs/acme/adjustments', FIX);
  t.equal(made.status, 201);
  t.same(made.body, {
    user: 'bob',
    quota: 'usage',
    units: -20.5,
    groups: ['eng', 'ops'],
    consumed: 79.5,
    orgConsumed: 80.2,
    at: new Date(NOON).toISOString(),
    reason: FIX.reason,
  });
  t.equal((await one('GET', '/orgs/acme/users/bob')).body.quotas.usage.consumed, 79.5);
  t.equal((await one('GET', '/orgs/acme/groups/eng')).body.quotas.usage.consumed, 80.2);
  t.equal((await one('GET', '/orgs/acme/groups/ops')).body.quotas.usage.consumed, 79.5);
  t.equal((await one('GET', '/orgs/acme/overview')).body.quotas[0].consumed, 80.2);
  t.match((await one('GET', '/orgs/acme/audit')).body.items[0], {
    action: 'adjustment',
    subject: 'user:bob',
    to: { quota: 'usage', units: -20.5 },
    reason: FIX.reason,
  });
  const journal = await ledger.log('acme', 'journal', '', 10);
  t.match(journal.at(-1)?.text, /\|bob\|eng,ops\|adjustment\|usage=-205\|/);
});

onBothLedgers('below 0 is refused, and nothing changes', async (t, { one, ledger }) => {
  await applyNow(ledger, 'acme', [reserve('bob', fixed('usage', 100))]);
  const entries = async () => (await ledger.logBack('acme', 'audit', '', 100)).length;
  const before = await entries();
  const adjust = (over: object) => one('POST', '/orgs/acme/adjustments', { ...FIX, ...over });
  t.same(problem(await adjust({})), [422, 'input-invalid', 'units']);
  t.match((await adjust({})).body.detail, /user bob consumed in this cycle below 0/);
  await one('PATCH', '/orgs/acme/users/bob', { groups: ['eng'] });
  await one('POST', '/orgs/acme/groups', { id: 'new' });
  await one('PATCH', '/orgs/acme/users/bob', { groups: ['new'] });
  t.match((await adjust({ units: -1 })).body.detail, /group new/);
  t.equal((await adjust({ units: -1, groups: ['eng', 'ops'] })).status, 201);
  t.equal((await one('GET', '/orgs/acme/overview')).body.quotas[0].consumed, 9);
  t.equal(await entries(), before + 4);
});

onBothLedgers('sent twice with one Idempotency-Key', async (t, { one, other, ledger }) => {
  await applyNow(ledger, 'acme', [reserve('bob', fixed('usage', 1_000))]);
  const key = { 'idempotency-key': 'a' };
  const first = await one('POST', '/orgs/acme/adjustments', FIX, key);
  const again = await other('POST', '/orgs/acme/adjustments', FIX, key);
  t.same([again.status, again.body], [201, first.body]);
  t.equal(again.headers.get('idempotency-replayed'), 'true');
  const reused = await other('POST', '/orgs/acme/adjustments', { ...FIX, units: -1 }, key);
  t.same(problem(reused), [422, 'idempotency-key-reused']);
  t.equal((await one('GET', '/orgs/acme/overview')).body.quotas[0].consumed, 79.5);
});

t.test('a dry run says whom it would block', async (t) => {
  const { send, reserve: use } = await startAcme(t);
  await send('POST', '/orgs/acme/limits', { group: 'ops', quota: 'ai', units: 100 });
  await send('POST', '/orgs/acme/limits', { user: 'bob', quota: 'ai', units: 500 });
  await use('acme', 'bob', { ai: 40 });
  const dry = (over: object) =>
    send('POST', '/orgs/acme/adjustments?dryRun=true', {
      user: 'bob',
      quota: 'ai',
      units: 60,
      reason: 'x',
      ...over,
    });
  t.match((await dry({})).body, {
    consumed: 100,
    orgConsumed: 100,
    groups: ['eng', 'ops'],
    wouldBlock: true,
    blocked: [{ scope: 'group', id: 'ops' }],
  });
  t.match((await dry({ units: 59 })).body, { wouldBlock: false, blocked: [] });
  t.same(problem(await dry({ units: -41 })), [422, 'input-invalid', 'units']);
  t.equal((await send('GET', '/orgs/acme/users/bob')).body.quotas.ai.consumed, 40);
});

t.test('refusals', async (t) => {
  const { send } = await startAcme(t);
  const adjust = async (over: object) =>
    problem(await send('POST', '/orgs/acme/adjustments', { ...FIX, units: 1, ...over }));
  t.same(await adjust({ user: 'cay' }), [422, 'input-invalid', 'user']);
  t.same(await adjust({ quota: 'shoes' }), [422, 'input-invalid', 'quota']);
  t.same(await adjust({ quota: 'lds' }), [422, 'input-invalid', 'quota'], 'no plan');
  t.same(await adjust({ units: 0 }), [422, 'input-invalid', 'units']);
  t.same(await adjust({ units: 0.25 }), [422, 'input-invalid', 'units']);
  t.same(await adjust({ units: 9e15 }), [422, 'input-invalid', 'units']);
  t.same(await adjust({ units: '1' }), [422, 'input-invalid', 'units']);
  t.same(await adjust({ groups: ['nope'] }), [422, 'input-invalid', 'groups']);
  t.same(await adjust({ reason: '' }), [422, 'input-invalid', 'reason']);
  await send('DELETE', '/orgs/acme');
  t.same(await adjust({}), [403, 'org-archived']);
});
