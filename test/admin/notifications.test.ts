// What an org is told, whom it tells, what it was told: settings, webhooks, failures, events and the audit log.
import t from 'tap';
import { addToken } from '../../src/admin/tokens/token-store.js';
import { KeyedMutex } from '../../src/admin/writes/keyed-mutex.js';
import { scanAll } from '../../src/ledger/scan-all.js';
import { deliveriesIn } from '../../src/notify/deliveries.js';
import { webhooksIn } from '../../src/notify/webhooks.js';
import { addDelivery, bearer, type Json, NOON, onBothLedgers, problem, startAcme } from './support.js';

const SETTINGS = {
  thresholds: { users: [100, 80], groups: [90], org: [] },
  refusals: { users: true, groups: false, org: false },
  email: { enabled: true, admins: true, recipients: ['ops@example.com', 'ANN@example.com'] },
};

onBothLedgers('settings have the defaults, and change as a whole', async (t, { ledger, one, other }) => {
  const first = (await one('GET', '/orgs/acme/notifications')).body;
  t.match(first, {
    thresholds: { users: [100], groups: [50, 80, 90, 100], org: [50, 80, 90, 100] },
    refusals: { users: true, groups: true, org: true },
    email: { enabled: true, admins: true, recipients: [], available: false, addresses: ['ann@example.com'] },
    webhooks: [],
  });
  const put = await one('PUT', '/orgs/acme/notifications', SETTINGS, { 'if-match': first.etag });
  t.equal(put.status, 200);
  t.match(put.body, { ...SETTINGS, thresholds: { ...SETTINGS.thresholds, users: [80, 100] } });
  const second = await other('GET', '/orgs/acme/notifications');
  t.equal(second.headers.get('etag'), put.headers.get('etag'));
  t.same(second.body.email.addresses, ['ops@example.com', 'ANN@example.com'], 'one message for one address');
  const { values } = await ledger.read('acme', [{ table: 'org', fields: ['thresholds'] }]);
  t.same(values, [['80,100;90;']], 'the ledger queues those of each scope');
  t.same(problem(await one('PUT', '/orgs/acme/notifications', SETTINGS, { 'if-match': first.etag })), [
    412,
    'version-stale',
  ]);
  const bad = { ...SETTINGS, thresholds: { users: [0, 101], groups: ['5'], org: [5, 5] }, more: 1 };
  const fields = problem(await one('PUT', '/orgs/acme/notifications', bad));
  for (const field of [
    'thresholds/users/0',
    'thresholds/users/1',
    'thresholds/groups/0',
    'thresholds/org',
    'more',
  ])
    t.ok(fields.includes(field), field);
  const [audit] = (await one('GET', '/orgs/acme/audit?action=notifications')).body.items;
  t.match(audit, {
    action: 'notifications.set',
    from: { refusals: { groups: true } },
    to: { refusals: { groups: false } },
  });
});

onBothLedgers(
  'webhooks: the secret is shown once, and never listed or audited',
  async (t, { ledger, one }) => {
    const made = await one('POST', '/orgs/acme/notifications/webhooks', {
      url: 'https://hooks.example.com/secret-path',
    });
    t.equal(made.status, 201);
    t.match(made.body.secret, /^whsec_/);
    t.equal(made.headers.get('cache-control'), 'no-store');
    const path = `/orgs/acme/notifications/webhooks/${made.body.id}`;
    t.equal(made.headers.get('location'), `/v1${path}`);
    const rotated = await one('POST', `${path}/rotate`, {});
    t.not(rotated.body.secret, made.body.secret);
    const [stored] = webhooksIn(await scanAll(ledger, 'acme', 'notices'));
    t.same(
      stored?.secrets.map(({ secret }) => secret),
      [rotated.body.secret, made.body.secret],
    );
    t.equal((await one('PATCH', path, { enabled: false }, { 'if-match': made.body.etag })).status, 412);
    t.equal(
      (await one('PATCH', path, { enabled: false }, { 'if-match': rotated.body.etag })).body.enabled,
      false,
    );
    t.match((await one('GET', '/orgs/acme/notifications')).body.webhooks, [
      { url: 'https://hooks.example.com/secret-path', enabled: false },
    ]);
    const viewer = { name: 'v', role: 'viewer', orgs: ['acme'], expiresAt: 0 } as const;
    const author = { who: 'test', reason: undefined };
    const token = await addToken({ ledger, mutex: new KeyedMutex() }, { author, token: viewer });
    const seen = await one('GET', '/orgs/acme/notifications', undefined, bearer(token.text));
    t.equal(seen.body.webhooks[0].url, 'https://hooks.example.com', 'a viewer sees no path');
    for (const url of ['nonsense', 'ftp://a.example', 'https://u:p@a.example', ''])
      t.same(
        problem(await one('POST', '/orgs/acme/notifications/webhooks', { url })),
        [422, 'input-invalid', 'url'],
        url,
      );
    t.equal((await one('DELETE', path)).status, 204);
    t.equal((await one('DELETE', path)).status, 404);
    const audit = (await one('GET', '/orgs/acme/audit?action=webhook')).body.items as Json[];
    t.same(
      audit.map(({ action }) => action),
      ['webhook.delete', 'webhook.change', 'webhook.rotate', 'webhook.add'],
    );
    t.notMatch(JSON.stringify(audit), /whsec|secret-path/);
  },
);

t.test('a repeated creation with an Idempotency-Key shows no secret again', async (t) => {
  const { send } = await startAcme(t);
  const create = () =>
    send(
      'POST',
      '/orgs/acme/notifications/webhooks',
      { url: 'https://a.example/' },
      { 'idempotency-key': 'k' },
    );
  const [first, second] = [await create(), await create()];
  t.equal(second.body.id, first.body.id);
  t.equal(second.body.secret, null);
});

onBothLedgers('failures are listed, and sent again under their id', async (t, { ledger, one }) => {
  const { delivery } = await addDelivery(ledger, 'acme');
  const { items } = (await one('GET', '/orgs/acme/notifications/failures')).body;
  t.match(items, [
    {
      id: delivery,
      channel: 'webhook',
      target: 'hook1',
      error: 'the receiver answered 500',
      notices: [{ subject: 'ann' }],
    },
  ]);
  const path = `/orgs/acme/notifications/failures/${delivery}/resend`;
  t.equal((await one('POST', path, { reason: 'fixed' })).status, 200);
  const table = await scanAll(ledger, 'acme', 'notices');
  t.match(deliveriesIn(table).list, [{ id: delivery, delivery: { nextAt: NOON, attempts: 9 } }]);
  t.match((await ledger.pendingWork('acme'))?.noticesDue, NOON, 'maintenance is told');
  t.same((await one('GET', '/orgs/acme/notifications/failures')).body.items, []);
  t.equal((await one('POST', path, {})).status, 404, 'not twice');
  t.match((await one('GET', '/orgs/acme/audit?action=notice.resend')).body.items, [{ reason: 'fixed' }]);
});

t.test('a test message says per recipient whether it arrived', async (t) => {
  const { send } = await startAcme(t);
  const { body } = await send('POST', '/orgs/acme/notifications/test', {});
  t.same(body.items, [
    {
      channel: 'email',
      target: 'ann@example.com',
      delivered: false,
      error: 'this process delivers no notices',
    },
  ]);
  t.same(problem(await send('POST', '/orgs/acme/notifications/test', { target: 'eve@example.com' })), [
    422,
    'input-invalid',
    'target',
  ]);
});

const EVENT = {
  kind: 'blocked',
  scope: 'user',
  subject: 'ann',
  name: 'Ann',
  quota: 'usage',
  unit: 'units',
  action: 'maps',
  user: 'ann',
  limit: 10,
  consumed: 10,
  requested: 1,
  cycleStart: '2026-05-19T22:00:00.000Z',
  resetsAt: null,
};

onBothLedgers('events are pages, filtered by content and time, and CSV', async (t, { ledger, one }) => {
  for (let at = 0; at < 5; at += 1) {
    const user = at % 2 === 0 ? 'ann' : '=cmd|x';
    const event = {
      ...EVENT,
      at: new Date(NOON + at * 1_000).toISOString(),
      user,
      subject: user,
      action: at < 3 ? 'maps' : 'geocoding',
    };
    await ledger.append('acme', 'events', JSON.stringify(event));
  }
  const list = async (query: string) => (await one('GET', `/orgs/acme/events${query}`)).body;
  const seconds = ({ items }: Json) => items.map(({ at }: Json) => (Date.parse(at) - NOON) / 1_000);
  t.same(seconds(await list('')), [4, 3, 2, 1, 0]);
  t.same(seconds(await list('?order=oldest')), [0, 1, 2, 3, 4]);
  t.same(seconds(await list('?who=ann')), [4, 2, 0]);
  t.same(seconds(await list('?action=geocoding')), [4, 3]);
  t.same(seconds(await list('?kind=threshold')), []);
  t.same(seconds(await list('?from=2026-05-22T10:00:01Z&to=2026-05-22T10:00:03Z')), [2, 1]);
  const page = await list('?pageSize=2&who=ann');
  t.same(seconds(page), [4, 2]);
  const rest = await list(`?pageSize=2&who=ann&cursor=${page.cursor}`);
  t.same([seconds(rest), rest.cursor], [[0], null]);
  t.same(problem(await one('GET', '/orgs/acme/events?from=yesterday')), [422, 'input-invalid', 'from']);
  const csv = await one('GET', '/orgs/acme/events.csv?action=geocoding');
  t.match(csv.headers.get('content-type'), /^text\/csv/);
  const lines = (csv.body as string).trim().split('\r\n');
  t.match(lines[0], /^at,kind,scope,subject,name,quota,unit,action,user,threshold,limit,consumed,requested,/);
  t.same(
    lines.slice(1).map((line) => line.split(',')[3]),
    ['ann', "'=cmd|x"],
    'a formula is text',
  );
});

onBothLedgers('the audit log is filtered, and CSV', async (t, { one }) => {
  await one('POST', '/orgs/acme/groups', { id: 'x', name: '=HYPERLINK("a","b")', reason: '+1' });
  await one('POST', '/orgs/acme/limits', { user: 'bob', quota: 'ai', units: 9 });
  const actions = async (query: string) =>
    (await one('GET', `/orgs/acme/audit${query}`)).body.items.map(({ action }: Json) => action);
  const [all, config, limits] = [
    await actions(''),
    await actions('?who=config'),
    await actions('?action=limit'),
  ];
  t.equal(all.length, 3);
  t.same(config, ['org.create']);
  t.equal(limits.length, 1);
  t.same(await actions('?subject=group:x'), all.slice(1, 2));
  t.same(await actions('?to=2026-05-22T10:00:00Z'), []);
  const csv = await one('GET', '/orgs/acme/audit.csv?action=group');
  t.match(csv.body, /^at,who,action,subject,from,to,reason\r\n[^\r]*,'\+1\r\n$/);
});

onBothLedgers('a failed login is one entry, without the secret, and many are counted', async (t, { one }) => {
  const fail = (token: string) => one('GET', '/orgs', undefined, bearer(token));
  t.equal((await fail('qga_abc_topsecret')).status, 401);
  const list = async () => (await one('GET', '/audit?action=login.fail')).body.items;
  t.match(await list(), [{ who: 'token abc', action: 'login.fail', subject: 'peer:127.0.0.1' }]);
  for (let at = 0; at < 100; at += 1) await fail('nonsense');
  const entries = await list();
  t.equal(entries.length, 60);
  t.notMatch(JSON.stringify(entries), /topsecret|nonsense/);
});
