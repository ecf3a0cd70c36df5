// Three cycles of an org in injected time: plan changes, top-ups, seats, leavers, raises and corrections. All figures are compared with a
// calculation of its own, in plain sums.
import type { Test } from 'tap';
import { fixed, reserve } from '../support/ledgers.js';
import { ACME, applyNow, onBothLedgers, type Replicas } from './support.js';

const DAY_MS = 86_400_000;
const STARTS = ['2026-05-19T22:00:00Z', '2026-06-19T22:00:00Z', '2026-07-19T22:00:00Z'].map((at) =>
  Date.parse(at),
);
const USERS = ['ann', 'bob', 'cay'] as const;

/** What the figures must be, computed without any code of the product. */
class Books {
  allowance = 1_000;
  next: number | undefined;
  extra = 0;
  readonly groupOf = new Map([
    ['ann', 'eng'],
    ['bob', 'eng'],
    ['cay', 'ops'],
  ]);
  readonly users = new Map<string, number>();
  readonly groups = new Map<string, number>();
  readonly caps = new Map<string, number>();
  readonly gone = new Set<string>();
  total = 0;

  charge(user: string, units: number): boolean {
    const used = this.users.get(user) ?? 0;
    const fits = used + units <= (this.caps.get(user) ?? Number.POSITIVE_INFINITY);
    if (this.gone.has(user) || !fits || this.total + units > this.allowance + this.extra) return false;
    this.move(user, units);
    return true;
  }

  move(user: string, units: number): void {
    const group = this.groupOf.get(user) ?? '';
    this.users.set(user, (this.users.get(user) ?? 0) + units);
    this.groups.set(group, (this.groups.get(group) ?? 0) + units);
    this.total += units;
  }

  close(): void {
    this.extra -= Math.max(0, this.total - this.allowance);
    this.allowance = this.next ?? this.allowance;
    this.next = undefined;
    this.users.clear();
    this.groups.clear();
    this.total = 0;
  }
}

onBothLedgers('three cycles of an org', async (t, replicas) => {
  const { one, setClock } = replicas;
  const books = new Books();
  const ok = async (method: string, path: string, body?: unknown) => {
    const { status, body: answer } = await one(method, `/orgs/acme${path}`, body);
    t.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  };
  await ok('PUT', '', { seats: 3, cycle: ACME.cycle });
  await ok('PUT', '/plans/lds', { allowance: 1_000 });
  await ok('POST', '/users', { id: 'cay', groups: ['ops'] });
  await ok('PATCH', '/users/bob', { groups: ['eng'] });
  for (const [cycle, start] of STARTS.entries()) {
    for (let day = 4; day < 29; day += 3) {
      await setClock(start + day * DAY_MS);
      // The first look in a new cycle closes the old one, as the first request does.
      t.equal((await one('GET', '/orgs/acme/plans/lds')).status, 200);
      if (cycle > 0 && day === 4) books.close();
      await happen(`${cycle}.${day}`, { ok, books, now: start + day * DAY_MS });
      for (const [index, user] of USERS.entries())
        await use({ replicas, books, t }, { user, units: 11 + 7 * index + day + 13 * cycle });
      await compare({ replicas, books, t });
    }
  }
});

interface Story {
  readonly replicas: Replicas;
  readonly books: Books;
  readonly t: Test;
}

interface Request {
  readonly user: string;
  readonly units: number;
}

interface Day {
  readonly ok: (method: string, path: string, body?: unknown) => Promise<void>;
  readonly books: Books;
  readonly now: number;
}

async function happen(when: string, { ok, books, now }: Day): Promise<void> {
  switch (when) {
    case '0.7':
      books.caps.set('cay', 90);
      return ok('POST', '/limits', { user: 'cay', quota: 'lds', units: 90 });
    case '0.10':
      books.extra += 60;
      return ok('POST', '/plans/lds/extra', { units: 60, reason: 'order 1' });
    case '0.13':
      books.next = 700;
      return ok('PUT', '/plans/lds', { allowance: 700, begins: 'next-cycle' });
    case '0.19':
      books.move('ann', -30);
      return ok('POST', '/adjustments', { user: 'ann', quota: 'lds', units: -30, reason: 'a broken client' });
    case '1.7':
      books.groupOf.set('ann', 'ops');
      return ok('PATCH', '/users/ann', { groups: ['ops'] });
    case '1.10':
      books.caps.set('cay', 90 + 50);
      return ok('POST', '/limits/lds:u:cay/raise', {
        units: 50,
        until: new Date(now + 7 * DAY_MS).toISOString(),
        reason: 'release',
      });
    case '1.19':
      books.caps.set('cay', 90);
      return;
    case '1.22':
      books.gone.add('bob');
      return ok('DELETE', '/users/bob');
    case '2.7':
      books.allowance = 400;
      return ok('PUT', '/plans/lds', { allowance: 400 });
    case '2.16':
      books.extra += 200;
      return ok('POST', '/plans/lds/extra', { units: 200, reason: 'order 2' });
    case '2.19':
      books.gone.delete('bob');
      return ok('PATCH', '/users/bob', { status: 'active' });
    default:
  }
}

async function use({ replicas: { ledger }, books, t }: Story, { user, units }: Request): Promise<void> {
  const expected = books.charge(user, units);
  const [result] = (await applyNow(ledger, 'acme', [reserve(user, fixed('lds', units))])).results;
  t.equal(result?.status === 'admitted', expected, `${user} asks for ${units}`);
}

async function compare({ replicas: { one }, books, t }: Story): Promise<void> {
  const plan = (await one('GET', '/orgs/acme/plans/lds')).body;
  const { allowance, extra, consumed, extraUsed, remaining } = plan;
  const used = Math.max(0, books.total - books.allowance);
  t.same(
    [allowance, extra, consumed, extraUsed, remaining],
    [
      books.allowance,
      books.extra,
      books.total,
      Math.min(books.extra, used),
      Math.max(0, books.allowance + books.extra - books.total),
    ],
  );
  for (const user of USERS) {
    const { quotas } = (await one('GET', `/orgs/acme/users/${user}`)).body;
    t.same(quotas.lds.consumed, books.users.get(user) ?? 0, user);
  }
  for (const group of ['eng', 'ops']) {
    const { quotas } = (await one('GET', `/orgs/acme/groups/${group}`)).body;
    t.same(quotas.lds.consumed, books.groups.get(group) ?? 0, group);
  }
  const { seats } = (await one('GET', '/orgs/acme/overview')).body;
  t.same(seats.used, seatsOf(books));
}

function seatsOf(books: Books): number {
  return USERS.length - books.gone.size;
}
