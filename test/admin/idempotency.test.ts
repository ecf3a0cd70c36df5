// A POST that is sent again with its Idempotency-Key has its effect once and gets the first answer.
import t from 'tap';
import { createOrg } from '../../src/admin/index.js';
import { cleanOrg } from '../../src/maintenance/clean.js';
import { RETENTION } from '../maintenance/support.js';
import {
  ACME,
  type Answer,
  bearer,
  bound,
  NOON,
  onBothLedgers,
  problem,
  QUOTAS,
  startAcme,
  startAdmin,
} from './support.js';

const DAY_MS = 86_400_000;

function key(name: string): Record<string, string> {
  return { 'idempotency-key': name };
}

function shown({ status, body, headers }: Answer) {
  return { status, body, etag: headers.get('etag'), location: headers.get('location') };
}

/** A body for each POST of an org. */
const POSTS: readonly [path: string, body: unknown][] = [
  ['/plans/ai/extra', { units: 5, reason: 'order 17' }],
  ['/users', { id: 'cay', name: 'Cay', groups: ['eng'] }],
  ['/groups', { id: 'new', name: 'New' }],
  ['/limits', { user: 'ann', quota: 'ai', units: 100 }],
  ['/limits/ai:u:ann/raise', { units: 7, until: '2026-05-23T00:00:00Z', reason: 'x' }],
  ['/adjustments', { user: 'ann', quota: 'usage', units: 3.5, reason: 'x' }],
  ['/limits/distribute', { quota: 'usage' }],
];

onBothLedgers('each POST is done once, over two replicas', async (t, { one, other, ledger }) => {
  await one('PUT', '/orgs/acme', { seats: 9, cycle: ACME.cycle });
  for (const [path, body] of POSTS) {
    const first = await one('POST', `/orgs/acme${path}`, body, key(path));
    t.ok(first.status < 300, `${path}: ${first.status}`);
    t.equal(first.headers.get('idempotency-replayed'), null);
    const entries = async () => (await ledger.logBack('acme', 'audit', '', 100)).length;
    const audited = await entries();
    for (const send of [one, other]) {
      const again = await send('POST', `/orgs/acme${path}`, body, key(path));
      t.same(shown(again), shown(first), path);
      t.equal(again.headers.get('idempotency-replayed'), 'true');
    }
    t.equal(await entries(), audited, 'no second entry in the audit log');
  }
  const { quotas } = (await one('GET', '/orgs/acme/overview')).body;
  t.equal(quotas[1].extra, 505);
});

onBothLedgers('the answer shows the org after the change', async (t, { one }) => {
  const plain = await one('POST', '/orgs/acme/plans/ai/extra', { units: 5, reason: 'x' });
  const keyed = await one('POST', '/orgs/acme/plans/ai/extra', { units: 5, reason: 'x' }, key('a'));
  const { extra, extraLeft, pool, remaining, percentUsed, etag, ...rest } = keyed.body;
  t.match([extra, extraLeft, pool, remaining], [510, 510, 2_000_510, 2_000_510]);
  t.match(plain.body, rest);
  const overview = (await one('GET', '/orgs/acme/overview')).body;
  t.equal(overview.quotas[1].etag, etag);
});

onBothLedgers('two replicas that get a request at once do it once', async (t, { one, other }) => {
  const body = { units: 5, reason: 'x' };
  const answers = await Promise.all(
    [one, other, one, other].map((send) => send('POST', '/orgs/acme/plans/ai/extra', body, key('race'))),
  );
  for (const answer of answers)
    t.ok([201, 409].includes(answer.status), `${answer.status} ${answer.body.code ?? ''}`);
  t.match(
    answers.filter(({ status }) => status === 409).map(problem),
    answers.filter(({ status }) => status === 409).map(() => [409, 'idempotency-key-running']),
  );
  const { quotas } = (await one('GET', '/orgs/acme/overview')).body;
  t.equal(quotas[1].extra, 505);
});

t.test('the first is still running', async (t) => {
  let go: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const { send, ledger } = await startAdmin(t, (memory) => ({
    ...bound(memory),
    async commit(org, commit) {
      if (commit.version !== 0) await held;
      return memory.commit(org, commit);
    },
  }));
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  const extra = () => send('POST', '/orgs/acme/plans/ai/extra', { units: 5, reason: 'x' }, key('a'));
  const both = [extra(), extra()];
  const refused = await Promise.race(both);
  t.same(problem(refused), [409, 'idempotency-key-running']);
  go();
  t.same((await Promise.all(both)).map(({ status }) => status).sort(), [201, 409]);
  t.match((await extra()).body, { extra: 505 });
});

t.test('another body, another path, another caller', async (t) => {
  const { send, ledger } = await startAcme(t);
  await createOrg(ledger, { id: 'other', seed: ACME, quotas: QUOTAS });
  const extra = (units: number, org = 'acme') =>
    send('POST', `/orgs/${org}/plans/ai/extra`, { units, reason: 'x' }, key('a'));
  t.equal((await extra(5)).status, 201);
  t.same(problem(await extra(6)), [422, 'idempotency-key-reused']);
  t.same(problem(await send('POST', '/orgs/acme/groups', { id: 'g' }, key('a'))), [
    422,
    'idempotency-key-reused',
  ]);
  t.equal((await extra(5, 'other')).status, 201, 'keys belong to one org');
  const { token } = (await send('POST', '/tokens', { name: 'b', role: 'admin', orgs: ['acme'] })).body;
  const by = { ...key('a'), ...bearer(token) };
  const stranger = await send('POST', '/orgs/acme/plans/ai/extra', { units: 6, reason: 'x' }, by);
  t.match([stranger.status, stranger.body.extra], [201, 511], 'and to one caller');
});

t.test('a refused request keeps nothing, a dry run neither', async (t) => {
  const { send } = await startAcme(t);
  const limit = { user: 'cay', quota: 'ai', units: 100 };
  t.equal((await send('POST', '/orgs/acme/limits', limit, key('a'))).status, 422);
  t.equal((await send('POST', '/orgs/acme/users', { id: 'cay' }, key('b'))).status, 201);
  t.equal((await send('POST', '/orgs/acme/limits?dryRun=true', limit, key('a'))).status, 200);
  t.equal((await send('POST', '/orgs/acme/limits', limit, key('a'))).status, 201);
});

t.test('a key of a form that is not accepted', async (t) => {
  const { send } = await startAcme(t);
  for (const bad of ['x'.repeat(256), 'with space'])
    t.same(problem(await send('POST', '/orgs/acme/groups', { id: 'g' }, key(bad))), [
      422,
      'input-invalid',
      'idempotency-key',
    ]);
});

onBothLedgers('secrets are shown once', async (t, { one, other }) => {
  const made = await one('POST', '/orgs/acme/keys', { user: 'ann' }, key('a'));
  t.match(made.body.key, /^qg_acme_/);
  const again = await other('POST', '/orgs/acme/keys', { user: 'ann' }, key('a'));
  t.same([again.status, again.body], [201, { ...made.body, key: null }]);
  t.equal((await one('GET', '/orgs/acme/keys')).body.items.length, 1);

  const token = { name: 'ci', role: 'viewer', orgs: ['acme'] };
  const first = await one('POST', '/tokens', token, key('a'));
  t.match(first.body.token, /^qga_/);
  const second = await other('POST', '/tokens', token, key('a'));
  t.same([second.status, second.body], [201, { ...first.body, token: null }]);
  t.equal(second.headers.get('idempotency-replayed'), 'true');
  t.same(problem(await one('POST', '/tokens', { ...token, name: 'x' }, key('a'))), [
    422,
    'idempotency-key-reused',
  ]);
  t.equal((await one('GET', '/tokens')).body.items.length, 1);
});

onBothLedgers('kept for a day, and no secret is kept', async (t, { one, setClock, ledger }) => {
  const kept = async (org: string) => (await ledger.scan(org, 'requests', '0', 100)).entries;
  const { body: apiKey } = await one('POST', '/orgs/acme/keys', { user: 'ann' }, key('k'));
  const { body: token } = await one('POST', '/tokens', { name: 'a', role: 'viewer', orgs: 'all' }, key('t'));
  const secrets = [apiKey.key, token.token].map((text: string) => text.split('_').at(-1) ?? '');
  const texts = JSON.stringify([await kept('acme'), await kept('*tokens*')]);
  for (const secret of secrets) t.notOk(texts.includes(secret));

  const extra = () => one('POST', '/orgs/acme/plans/ai/extra', { units: 5, reason: 'x' }, key('a'));
  await extra();
  await setClock(NOON + DAY_MS - 1);
  t.equal((await extra()).body.extra, 505);
  await cleanOrg(ledger, 'acme', RETENTION);
  t.equal((await kept('acme')).length, 2);
  await setClock(NOON + DAY_MS + 1);
  t.equal((await extra()).body.extra, 510, 'a day later it is a new request');
  await cleanOrg(ledger, 'acme', RETENTION);
  t.equal((await kept('acme')).length, 1);
  await one('POST', '/tokens', { name: 'b', role: 'viewer', orgs: 'all' }, key('u'));
  t.equal((await kept('*tokens*')).length, 1);
});

t.test('a commit that has no answer is found by its repetition', async (t) => {
  let lost = false;
  const { send, ledger } = await startAdmin(t, (memory) => ({
    ...bound(memory),
    async commit(org, commit) {
      const snapshot = await memory.commit(org, commit);
      if (lost) throw new Error('the connection ended');
      return snapshot;
    },
  }));
  await createOrg(ledger, { id: 'acme', seed: ACME, quotas: QUOTAS });
  const extra = () => send('POST', '/orgs/acme/plans/ai/extra', { units: 5, reason: 'x' }, key('a'));
  lost = true;
  t.equal((await extra()).status, 500);
  lost = false;
  t.match((await extra()).body, { extra: 505 });
  t.equal((await send('GET', '/orgs/acme/overview')).body.quotas[1].extra, 505);
});
