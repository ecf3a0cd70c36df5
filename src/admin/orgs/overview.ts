/** The overview of an org: the pool and consumption of each quota, and the days that the figures cover. */

import { instant } from '../../ledger/view/limit-lines.js';
import { type OrgView, readOrg, withTables } from '../../ledger/view/org-view.js';
import { dayOf, periodDays } from '../../quota/cycle.js';
import type { Admin, App } from '../admin.js';
import { path } from '../http/validate.js';
import { allCapSums, CAP_TABLES } from '../limits/caps.js';
import { orgLines, poolView } from '../plans/pools.js';

export function overviewRoutes(app: App, admin: Admin): void {
  const { quotas, snapshots } = admin;
  app.get('/orgs/:org/overview', { schema: { params: path('org') } }, async (request) => {
    const view = await readOrg(admin, request.params.org, orgLines(quotas));
    const { tables, ageMs } = await snapshots.tables(view.id, CAP_TABLES);
    const caps = await allCapSums(withTables(view, tables));
    const views = [...view.pools].map(([quota, pool]) => {
      return { ...poolView(view, quota, pool), caps: caps[quota] };
    });
    return {
      id: view.id,
      name: view.name,
      state: view.open ? 'open' : 'archived',
      cycle: cycleView(view),
      window: windowView(view),
      seats: { used: view.seatsUsed, total: view.seats ?? null },
      quotas: views,
      snapshotAgeMs: ageMs,
    };
  });
}

function cycleView({ rule, cycle }: OrgView) {
  const days = periodDays(cycle, rule.timeZone);
  return { ...rule, start: instant(cycle.start), end: instant(cycle.end), ...days };
}

/** The elapsed part of the cycle, which the figures cover. */
function windowView({ rule, cycle, now }: OrgView) {
  const { timeZone } = rule;
  const days = { from: dayOf(cycle.start, timeZone), to: dayOf(now, timeZone) };
  return { start: instant(cycle.start), end: instant(now), ...days };
}
