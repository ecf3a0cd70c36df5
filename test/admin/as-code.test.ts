// Limits as code: an org as a document, and the difference that a document makes: all at once, safe to repeat, by the rules
// of the single endpoints.
import { scanAll } from '../../src/ledger/scan-all.js';
import { webhooksIn } from '../../src/notify/webhooks.js';
import { onBothLedgers, problem, type Send } from './support.js';

const apply = (send: Send, body: object, query = '') => send('POST', `/orgs/acme/apply${query}`, body);
const subjects = ({ body }: { body: { differences: { action: string; subject: string }[] } }) =>
  body.differences.map(({ action, subject }) => `${action} ${subject}`);

onBothLedgers('what is exported differs from nothing', async (t, { one }) => {
  await one('PUT', '/orgs/acme/plans/ai', { allowance: 5, begins: 'next-cycle' });
  await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', percent: 12.5 });
  await one('POST', '/orgs/acme/limits', { group: 'eng', quota: 'ai', units: 9, shadow: true });
  await one('POST', '/orgs/acme/limits/distribute', { quota: 'ai' });
  const { status, body } = await one('GET', '/orgs/acme/export');
  t.equal(status, 200);
  t.match(body, {
    seats: 3,
    plans: {
      usage: { allowance: 5_000, mode: 'hard' },
      ai: { allowance: 2_000_000, mode: 'soft', next: { allowance: 5 } },
    },
    groups: { eng: { name: 'Engineering' }, ops: { name: 'ops' } },
    users: { ann: { name: 'Ann Smith', email: 'ann@example.com', role: 'admin', groups: ['eng'] } },
    notices: {
      thresholds: { users: [100], groups: [50, 80, 90, 100] },
      refusals: { users: true },
      webhooks: {},
    },
  });
  t.same(body.limits.length, 4);
  const before = (await one('GET', '/orgs/acme/audit')).body.items.length;
  for (const query of ['', '?dryRun=true', '?prune=true'])
    t.same((await apply(one, body, query)).body.differences, [], query);
  t.equal((await one('GET', '/orgs/acme/audit')).body.items.length, before, 'no audit entry');
});

onBothLedgers('a document changes what differs, in one audit entry, once', async (t, { one, other }) => {
  const stated = {
    seats: 5,
    plans: { usage: { allowance: 6_000 }, lds: { allowance: 100, mode: 'soft' } },
    groups: { eng: { name: 'Engineers' }, new: {} },
    users: { ann: { groups: ['new'] }, eve: { name: 'Eve', groups: ['eng', 'new'] } },
    limits: [
      { user: 'eve', quota: 'lds', percent: 50 },
      { group: 'new', quota: 'usage', units: 7.5 },
    ],
    reason: 'review',
  };
  const expected = [
    'org.change org',
    'plan.set plan:usage',
    'plan.set plan:lds',
    'group.change group:eng',
    'group.add group:new',
    'user.change user:ann',
    'user.add user:eve',
    'limit.add limit:lds:u:eve',
    'limit.add limit:usage:g:new',
  ];
  const dry = await apply(one, stated, '?dryRun=true');
  t.same([dry.body.dryRun, subjects(dry)], [true, expected]);
  t.equal((await other('GET', '/orgs/acme/users/eve')).status, 404, 'a dry run changes nothing');
  const applied = await apply(one, stated);
  t.same([applied.body.dryRun, subjects(applied)], [false, expected]);
  t.match((await other('GET', '/orgs/acme')).body, { seats: 5, seatsUsed: 3 });
  t.match((await other('GET', '/orgs/acme/users/eve')).body, {
    groups: ['eng', 'new'],
    quotas: { lds: { cap: 50 } },
  });
  t.match(
    (await other('GET', '/orgs/acme/users/bob')).body,
    { status: 'active', groups: ['eng', 'ops'] },
    'left out: stays',
  );
  t.match((await other('GET', '/orgs/acme/groups/new')).body, { members: 2 });
  const [entry, ...others] = (await one('GET', '/orgs/acme/audit')).body.items;
  t.match(entry, { action: 'org.apply', reason: 'review', to: { count: 9 } });
  t.notMatch(others[0], { action: 'org.apply' });
  t.same((await apply(one, stated)).body.differences, [], 'again: nothing');
});

onBothLedgers(
  'prune deletes what the stated sections leave out, and nothing of others',
  async (t, { one }) => {
    await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', units: 5 });
    await one('POST', '/orgs/acme/limits', { group: 'ops', quota: 'usage', units: 5 });
    const groups = await apply(one, { groups: { eng: {} } }, '?prune=true');
    t.same(subjects(groups), ['group.delete group:ops', 'limit.delete limit:usage:g:ops']);
    const users = await apply(one, { users: { ann: {} }, limits: [] }, '?prune=true');
    t.same(subjects(users), ['user.change user:bob', 'limit.delete limit:usage:u:ann']);
    t.equal((await one('GET', '/orgs/acme/users/bob')).body.status, 'removed');
    t.match((await one('GET', '/orgs/acme')).body, { seatsUsed: 1 });
  },
);

onBothLedgers('what the API refuses is refused, and nothing is changed', async (t, { one }) => {
  const refused: [object, (string | number)[], string?][] = [
    [{ seats: 1 }, [409, 'seats-taken']],
    [{ users: { a: {}, b: {} } }, [409, 'seats-taken']],
    [{ users: { ann: { groups: ['nowhere'] } } }, [422, 'input-invalid', 'users/ann/groups']],
    [{ limits: [{ user: 'nobody', quota: 'usage', units: 1 }] }, [422, 'input-invalid', 'limits/0/user']],
    [{ limits: [{ user: 'ann', quota: 'usage', units: 0 }] }, [422, 'input-invalid', 'limits/0/units']],
    [{ limits: [{ user: 'ann', quota: 'lds', percent: 5 }] }, [422, 'input-invalid', 'limits/0/percent']],
    [{ limits: [{ user: 'ann', quota: 'tea', units: 5 }] }, [422, 'input-invalid', 'limits/0/quota']],
    [{ limits: [{ user: 'ann', quota: 'ai' }] }, [422, 'input-invalid', 'limits/0/units']],
    [
      { limits: [{ user: 'ann', group: 'eng', quota: 'ai', units: 1 }] },
      [422, 'input-invalid', 'limits/0/user'],
    ],
    [
      {
        limits: [
          { user: 'ann', quota: 'ai', units: 1 },
          { user: 'ann', quota: 'ai', units: 2 },
        ],
      },
      [422, 'input-invalid', 'limits/1'],
    ],
    [{ plans: { usage: { allowance: 0.05 } } }, [422, 'input-invalid', 'plans/usage/allowance']],
    [{ plans: { tea: { allowance: 5 } } }, [422, 'input-invalid', 'plans/tea']],
    [{ groups: { 'a b': {} } }, [422, 'input-invalid', 'groups/a b']],
    [
      { groups: { eng: {} }, limits: [{ group: 'ops', quota: 'ai', units: 1 }] },
      [422, 'input-invalid', 'limits/0/group'],
      '?prune=true',
    ],
    [{ shoes: 1 }, [422, 'input-invalid', 'shoes']],
  ];
  const before = (await one('GET', '/orgs/acme/export')).body;
  for (const [body, expected, query] of refused)
    t.same(problem(await apply(one, { name: 'Changed', ...body }, query)), expected, JSON.stringify(body));
  await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', percent: 0.01 });
  const emptied = await apply(one, { plans: { usage: { allowance: 1 } } });
  t.same(problem(emptied), [422, 'input-invalid', 'plans/usage/allowance']);
  await one('DELETE', '/orgs/acme/limits/usage:u:ann');
  t.same((await one('GET', '/orgs/acme/export')).body, before);
});

const NEXT_CYCLE = Date.parse('2026-06-19T22:00:00Z');
const usage = async (send: Send) => (await send('GET', '/orgs/acme/plans/usage')).body;

onBothLedgers(
  'a plan of the next cycle: the file means the same after it has begun',
  async (t, { one, setClock }) => {
    const begins = new Date(NEXT_CYCLE).toISOString();
    const file = { plans: { usage: { allowance: 5_000, next: { allowance: 7_000, begins } } } };
    t.same(subjects(await apply(one, file)), ['plan.schedule plan:usage']);
    t.match(await usage(one), { allowance: 5_000, next: { allowance: 7_000, mode: 'hard' } });
    t.same((await apply(one, file)).body.differences, []);
    t.same(
      (await apply(one, { plans: { usage: { allowance: 5_000 } } })).body.differences,
      [],
      'left out: stays',
    );
    t.match((await one('GET', '/orgs/acme/plans/usage/history')).body.items, [
      { allowance: 7_000, begins, who: 'bootstrap' },
    ]);
    await setClock(NEXT_CYCLE);
    t.same((await apply(one, file)).body.differences, [], 'in the next cycle: no change');
    t.match(await usage(one), { allowance: 7_000, next: null });
    t.match((await one('GET', '/orgs/acme/export')).body.plans.usage, { allowance: 7_000, next: null });
  },
);

onBothLedgers('a plan of the next cycle is taken back, and refused as a present one', async (t, { one }) => {
  const next = (stated: unknown) => apply(one, { plans: { usage: { allowance: 5_000, next: stated } } });
  await next({ allowance: 6_000, mode: 'soft' });
  t.match((await next(null)).body.differences, [
    { action: 'plan.schedule', from: { allowance: 6_000, mode: 'soft' }, to: null },
  ]);
  t.match(await usage(one), { next: null });
  t.same((await next({ allowance: 5_000 })).body.differences, [], 'the present plan');
  await one('POST', '/orgs/acme/limits', { user: 'ann', quota: 'usage', percent: 0.01 });
  for (const [stated, field] of [
    [{ allowance: 0.05 }, 'next/allowance'],
    [{ allowance: 100 }, 'next/allowance'],
    [{ allowance: 6_000, begins: '2026-06-20T22:00:00Z' }, 'next/begins'],
    [{ allowance: 6_000, begins: 'soon' }, 'next/begins'],
  ] as const)
    t.same(
      problem(await next(stated)),
      [422, 'input-invalid', `plans/usage/${field}`],
      JSON.stringify(stated),
    );
});

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

onBothLedgers('notices are part of the document', async (t, { one, ledger }) => {
  const file = {
    notices: {
      thresholds: { users: [100, 80] },
      email: { recipients: ['ops@example.com'] },
      webhooks: {
        chat: { url: 'https://hooks.example.com/chat-path', secret: SECRET },
        pager: { url: 'https://pager.example.com/', enabled: false },
      },
    },
  };
  const first = await apply(one, file);
  const expected = [
    'notifications.set notifications',
    'webhook.add webhook:chat',
    'webhook.add webhook:pager',
  ];
  t.same(subjects(first), expected);
  t.same((await apply(one, file)).body.differences, [], 'again: nothing');
  t.match((await one('GET', '/orgs/acme/notifications')).body, {
    thresholds: { users: [80, 100], groups: [50, 80, 90, 100] },
    email: { admins: true, recipients: ['ops@example.com'] },
    webhooks: [
      { id: 'chat', enabled: true },
      { id: 'pager', enabled: false },
    ],
  });
  const secretsOf = async () =>
    webhooksIn(await scanAll(ledger, 'acme', 'notices')).map(({ secrets }) =>
      secrets.map(({ secret }) => secret),
    );
  t.same((await secretsOf())[0], [SECRET]);
  const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const chat = { chat: { secret: other, enabled: false } };
  t.same(subjects(await apply(one, { notices: { webhooks: chat } })), ['webhook.rotate webhook:chat']);
  t.same((await secretsOf())[0], [other, SECRET], 'the former one signs too');
  const kept = await apply(one, { notices: { webhooks: chat } }, '?prune=true');
  t.same(subjects(kept), ['webhook.delete webhook:pager']);
  const { body } = await one('GET', '/orgs/acme/export');
  t.match(body.notices.webhooks, { chat: { url: 'https://hooks.example.com/chat-path', enabled: false } });
  t.same((await apply(one, body, '?prune=true')).body.differences, []);
  const audit = JSON.stringify((await one('GET', '/orgs/acme/audit')).body);
  t.notMatch(JSON.stringify(body) + audit + JSON.stringify(first.body), /whsec/);
  t.notMatch(audit, /chat-path/);
});

onBothLedgers('notices that the API refuses', async (t, { one }) => {
  const url = 'https://a.example/';
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`h${index}`, { url }]));
  for (const [notices, field] of [
    [{ webhooks: { chat: {} } }, 'webhooks/chat/url'],
    [{ webhooks: { chat: { url: 'ftp://a.example' } } }, 'webhooks/chat/url'],
    [{ webhooks: { chat: { url, secret: 'whsec_short' } } }, 'webhooks/chat/secret'],
    [{ webhooks: { 'a b': { url } } }, 'webhooks/a b'],
    [{ webhooks: many }, 'webhooks'],
    [{ thresholds: { users: [101] } }, 'thresholds/users/0'],
    [{ email: { recipients: [''] } }, 'email/recipients/0'],
    [{ thresholds: { user: [80] } }, 'thresholds/user'],
  ] as const)
    t.same(
      problem(await apply(one, { name: 'New', notices })),
      [422, 'input-invalid', `notices/${field}`],
      field,
    );
  t.equal((await one('GET', '/orgs/acme')).body.name, 'acme');
});

onBothLedgers('an org that does not exist is created', async (t, { one }) => {
  const stated = {
    cycle: { every: 'month', anchor: 1, timeZone: 'UTC' },
    seats: 2,
    plans: { ai: { allowance: 100 } },
    groups: { eng: {} },
    users: { ann: { groups: ['eng'] } },
    limits: [{ group: 'eng', quota: 'ai', percent: 50 }],
    notices: { thresholds: { org: [75] }, webhooks: { chat: { url: 'https://a.example/' } } },
  };
  const { cycle, ...rest } = stated;
  t.same(problem(await one('POST', '/orgs/globex/apply', rest)), [422, 'input-invalid', 'cycle']);
  t.equal((await one('POST', '/orgs/globex/apply?dryRun=true', stated)).status, 200);
  t.equal((await one('GET', '/orgs/globex')).status, 404);
  t.equal((await one('POST', '/orgs/globex/apply', stated)).body.differences[0].action, 'org.create');
  t.match((await one('GET', '/orgs/globex')).body, { seats: 2, seatsUsed: 1, cycle });
  t.match((await one('GET', '/orgs/globex/limits/ai:g:eng')).body, { cap: 50 });
  t.match((await one('GET', '/orgs/globex/notifications')).body, {
    thresholds: { users: [100], org: [75] },
    webhooks: [{ id: 'chat' }],
  });
  t.same((await one('POST', '/orgs/globex/apply', stated)).body.differences, []);
});
