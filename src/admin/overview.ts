/** The overview of an org: what each quota has, how it stands, and which days the figures are of. */

import { type OrgBook, openBook, over } from '../ledger/view/book.js';
import { instant } from '../ledger/view/lines.js';
import { dayOf, periodDays } from '../quota/cycle.js';
import type { Admin, App } from './admin.js';
import { allCapSums, CAP_TABLES } from './caps.js';
import { orgLines, poolView } from './pools.js';
import { path } from './validate.js';

export function overviewRoutes(app: App, { ledger, quotas, snapshots }: Admin): void {
  app.get('/orgs/:org/overview', { schema: { params: path('org') } }, async (request) => {
    const book = await openBook(ledger, quotas, request.params.org, orgLines(quotas));
    const { tables, ageMs } = await snapshots.tables(book.id, CAP_TABLES);
    const caps = await allCapSums(over(book, tables));
    const views = [...book.pools].map(([quota, pool]) => {
      return { ...poolView(book, quota, pool), caps: caps[quota] };
    });
    return {
      id: book.id,
      name: book.name,
      state: book.open ? 'open' : 'archived',
      cycle: cycleView(book),
      window: windowView(book),
      seats: { used: book.seatsUsed, total: book.seats ?? null },
      quotas: views,
      snapshotAgeMs: ageMs,
    };
  });
}

function cycleView({ rule, cycle }: OrgBook) {
  const days = periodDays(cycle, rule.timeZone);
  return { ...rule, start: instant(cycle.start), end: instant(cycle.end), ...days };
}

/** The part of the cycle that the figures are of so far. */
function windowView({ rule, cycle, now }: OrgBook) {
  const { timeZone } = rule;
  const days = { from: dayOf(cycle.start, timeZone), to: dayOf(now, timeZone) };
  return { start: instant(cycle.start), end: instant(now), ...days };
}
