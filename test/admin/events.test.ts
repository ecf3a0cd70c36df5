// Blocked events tell how many requests were refused since, and until when: from the history, folded or not.
import type { Test } from 'tap';
import { RefusalCounts } from '../../src/ledger/batching/refusal-counts.js';
import type { Op } from '../../src/ledger/port.js';
import { foldJournal } from '../../src/maintenance/fold.js';
import { takeNotices } from '../../src/notify/intake.js';
import { charges } from '../../src/quota/charge.js';
import { applyNow, type Json, NOON, onBothLedgers, QUOTAS, type Replicas } from './support.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The data plane, the counts of one gateway, and its notifier. */
class Gateway {
  private now = NOON;
  private sent: Promise<unknown>[] = [];
  private readonly counts = new RefusalCounts((org, op) => {
    const sending = applyNow(this.ledger, org, [op]);
    this.sent.push(sending);
    return sending;
  });

  constructor(private readonly replicas: Replicas) {}

  private get ledger() {
    return this.replicas.ledger;
  }

  async at(ms: number): Promise<void> {
    this.now = ms;
    await this.replicas.setClock(ms);
    // A read closes a cycle that is over.
    await this.blocked();
  }

  /** Each takes the same; returns how many were refused. */
  async request(user: string, action: string, times: number): Promise<number> {
    const op: Op = {
      kind: 'reserve',
      user,
      claims: '',
      charges: charges(action, [{ quota: 'usage', units: 10, kind: 'fixed' }]),
      hold: '',
      ttlMs: 0,
    };
    const { results } = await applyNow(this.ledger, 'acme', Array<Op>(times).fill(op));
    let refused = 0;
    for (const result of results) {
      if (result.status !== 'refused') continue;
      refused += 1;
      this.counts.note({ org: 'acme', user, action, refused: result, now: this.now });
    }
    return refused;
  }

  async flush(): Promise<void> {
    this.counts.flush();
    await Promise.all(this.sent);
    const { ledger } = this;
    await takeNotices(
      {
        ledger,
        quotas: new Map(Object.entries(QUOTAS)),
        keepMs: DAY_MS,
        targetsOf: async () => [],
        onUnheard: () => undefined,
      },
      'acme',
      new Map(),
    );
  }

  async blocked(query = ''): Promise<Json[]> {
    const { status, body } = await this.replicas.one('GET', `/orgs/acme/events?kind=blocked${query}`);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.items;
  }
}

const iso = (ms: number) => new Date(ms).toISOString();

async function limit({ one }: Replicas, subject: Record<string, string>): Promise<Json> {
  const { status, body } = await one('POST', '/orgs/acme/limits', { ...subject, quota: 'usage', units: 1 });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}

async function foldedOrNot(t: Test, { ledger }: Replicas, look: (t: Test) => Promise<void>): Promise<void> {
  await t.test('from the journal', look);
  await foldJournal(ledger, 'acme');
  await t.test('folded', look);
}

onBothLedgers('a flood of refusals is one event, with count and last time', async (t, replicas) => {
  const gateway = new Gateway(replicas);
  await limit(replicas, { user: 'ann' });
  t.equal(await gateway.request('ann', 'maps', 500), 499);
  await gateway.flush();
  await gateway.at(NOON + 3 * HOUR_MS);
  t.equal(await gateway.request('ann', 'geocoding', 20), 20);
  await gateway.flush();
  const refused = {
    count: 519,
    first: iso(NOON),
    last: iso(NOON + 3 * HOUR_MS),
    precision: 'hour',
    actions: [
      { action: 'maps', count: 499 },
      { action: 'geocoding', count: 20 },
    ],
  };
  await foldedOrNot(t, replicas, async (t) => {
    const events = await gateway.blocked();
    t.equal(events.length, 1);
    t.match(events[0], { at: iso(NOON), subject: 'ann', action: 'maps', user: 'ann' });
    t.strictSame(events[0].refused, refused);
    t.equal((await gateway.blocked('&action=geocoding')).length, 1, 'an action that was refused later');
    t.equal((await gateway.blocked('&action=tea')).length, 0);
    const csv: string = (await replicas.one('GET', '/orgs/acme/events.csv?kind=blocked')).body;
    const [head = '', line = ''] = csv.split('\r\n');
    t.match(head, /,refused,refused_first,refused_last,refused_precision,refused_actions,reason$/);
    t.ok(line.endsWith(`,519,${refused.first},${refused.last},hour,maps geocoding,`), line);
  });
  await gateway.at(NOON + 20 * DAY_MS);
  t.strictSame((await gateway.blocked())[0].refused, refused, 'later');
  await gateway.at(NOON + 50 * DAY_MS);
  const last = '2026-05-22T10:00:00.000Z';
  t.strictSame(
    (await gateway.blocked())[0].refused,
    { ...refused, last, precision: 'day' },
    'hours are gone',
  );
});

onBothLedgers('an event counts what its own limit refused, in its own cycle', async (t, replicas) => {
  const gateway = new Gateway(replicas);
  await limit(replicas, { user: 'ann' });
  await limit(replicas, { group: 'ops' });
  await replicas.one('POST', '/orgs/acme/users', { id: 'o' });
  await limit(replicas, { user: 'o' });
  await gateway.request('ann', 'maps', 6);
  await gateway.request('bob', 'maps', 8);
  await gateway.request('o', 'maps', 3);
  await gateway.flush();
  await gateway.at(NOON + 40 * DAY_MS);
  await gateway.request('ann', 'maps', 3);
  await gateway.flush();
  await foldedOrNot(t, replicas, async (t) => {
    const events = await gateway.blocked();
    const shown = events.map(({ at, scope, subject, refused }) => [at, scope, subject, refused.count]);
    t.same(
      shown.sort((a, b) => String(a).localeCompare(String(b))),
      [
        [iso(NOON), 'group', 'ops', 7],
        [iso(NOON), 'user', 'ann', 5],
        [iso(NOON), 'user', 'o', 2],
        [iso(NOON + 40 * DAY_MS), 'user', 'ann', 2],
      ],
    );
    t.same(
      (await gateway.blocked('&who=ann')).map(({ refused }) => refused.count),
      [2, 5],
    );
  });
});

onBothLedgers('an event counts from its first refusal on, before counts have come', async (t, replicas) => {
  const gateway = new Gateway(replicas);
  const { id } = await limit(replicas, { user: 'ann' });
  await gateway.request('ann', 'maps', 3);
  const none = new Gateway(replicas);
  await none.flush();
  t.strictSame((await gateway.blocked())[0].refused, {
    count: 1,
    first: iso(NOON),
    last: iso(NOON),
    precision: 'hour',
    actions: [{ action: 'maps', count: 1 }],
  });
  await gateway.flush();
  const { etag } = (await replicas.one('GET', '/orgs/acme/limits')).body.items[0];
  const headers = { 'if-match': etag };
  const raised = await replicas.one('PATCH', `/orgs/acme/limits/${id}`, { units: 2 }, headers);
  t.equal(raised.status, 200, JSON.stringify(raised.body));
  await gateway.at(NOON + 2 * HOUR_MS);
  await gateway.request('ann', 'maps', 5);
  await gateway.flush();
  t.same(
    (await gateway.blocked()).map(({ refused }) => refused.count),
    [4, 6],
    'a raise begins a new event; the earlier one counts to the end of the cycle',
  );
});

onBothLedgers('a page reads each text once, and the journal once', async (t, replicas) => {
  const { ledger } = replicas;
  const gateway = new Gateway(replicas);
  await limit(replicas, { user: 'ann' });
  await gateway.request('ann', 'maps', 3);
  await gateway.flush();
  const [event] = await ledger.log('acme', 'events', '', 1);
  for (let more = 0; more < 99; more += 1) await ledger.append('acme', 'events', event?.text ?? '');
  const calls = { read: 0, log: 0 };
  const { read, log } = ledger;
  ledger.read = async (org, wants) => {
    if (wants.some(({ table }) => table.startsWith('history:'))) calls.read += wants.length;
    return read.call(ledger, org, wants);
  };
  ledger.log = async (org, name, after, count) => {
    // The kept tail reads on from its last entry, once a second.
    if (name === 'journal' && after === '') calls.log += 1;
    return log.call(ledger, org, name, after, count);
  };
  const events = await gateway.blocked();
  t.equal(events.length, 100);
  t.ok(events.every(({ refused }) => refused.count === 2));
  t.same(calls, { read: 1, log: 1 });
  await gateway.blocked('&who=nobody');
  t.same(calls, { read: 1, log: 1 }, 'a page without blocked events reads nothing');
});
