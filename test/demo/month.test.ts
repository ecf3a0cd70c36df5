// The demo opens with a month that the ledger itself has written: history, changes, events, and users who are blocked.
import { join } from 'node:path';
import t from 'tap';
import { buildAdmin } from '../../src/admin/index.js';
import { demoConfig } from '../../src/cli/demo.js';
import { loadConfig } from '../../src/config/load.js';
import { writeMonth } from '../../src/demo/month.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';

const TOKEN = 'a-token-for-tests';

/** The first day of a cycle, one in its middle, and a Sunday. */
for (const end of ['2026-05-20T08:30:00Z', '2026-11-27T16:00:00Z', '2027-01-03T23:59:00Z'])
  t.test(`a month that ends at ${end}`, async (t) => {
    const until = Date.parse(end);
    const path = join(t.testdir(), 'ledger');
    const config = loadConfig(demoConfig('unused', { upstream: 1, models: 2 }), {});
    const before = process.cpuUsage();
    await writeMonth({ path, config, until });
    const { user } = process.cpuUsage(before);
    t.comment(`${Math.round(user / 1_000)} ms of CPU time`);
    const ledger = await openEmbedded({ path, clock: () => until });
    const admin = buildAdmin({ ledger, quotas: config.quotas, bootstrapToken: TOKEN });
    t.teardown(async () => {
      await admin.close();
      await ledger.close();
    });
    const get = async (rest: string) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      return (await admin.inject({ url: `/v1/orgs/acme${rest}`, headers })).json();
    };
    const { seats, quotas } = await get('/overview');
    t.same(seats, { used: 12, total: 15 });
    t.ok(quotas.every(({ consumed, pool }: Figures) => consumed >= 0 && consumed <= pool));
    const { summary, users, daily } = await get('/usage/history?period=30d');
    t.equal(summary.length, 3, 'each quota is used');
    t.ok(users.length >= 9);
    t.ok(new Set(daily.map(({ day }: { day: string }) => day)).size > 20, 'on most days');
    const { items: groups } = await get('/groups');
    t.equal(groups.length, 3);
    const { items: limits } = await get('/limits?pageSize=50');
    t.ok(limits.some(({ status }: { status: string }) => status === 'blocked'));
    t.ok(limits.some(({ raise }: { raise?: object }) => raise !== undefined));
    const { items: events } = await get('/events?pageSize=100');
    const blocked = new Set(
      events.flatMap(({ kind, subject }: Event) => (kind === 'blocked' ? [subject] : [])),
    );
    t.ok(blocked.has('mona') && blocked.has('eva'));
    t.ok(
      events.every(({ at }: { at: string }) => Date.parse(at) <= until),
      'nothing is in the future',
    );
    const { items: audit } = await get('/audit?pageSize=100');
    t.ok(audit.length >= 20);
  });

interface Figures {
  readonly consumed: number;
  readonly pool: number;
}

interface Event {
  readonly kind: string;
  readonly subject: string;
}
