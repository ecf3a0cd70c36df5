/** The overview of an org: the pool and consumption of each quota, the days that the figures cover, and the export of the journal. */

import { instant } from '../../ledger/view/limit-lines.js';
import { type OrgView, readOrg, withTables } from '../../ledger/view/org-view.js';
import { dayOf, periodDays } from '../../quota/cycle.js';
import { READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, ok } from '../http/endpoint.js';
import { allCapSums, CAP_TABLES } from '../limits/caps.js';
import { orgLines, poolView } from '../plans/pools.js';
import { stateOf } from './definition.js';
import { exportsOf } from './exports.js';
import { Overview } from './schemas.js';

export const OVERVIEW_ENDPOINTS = [
  endpoint({
    id: 'getOverview',
    method: 'GET',
    path: '/orgs/:org/overview',
    summary: 'Show the pool and consumption of each quota, the cycle and the seats',
    roles: READERS,
    answers: { 200: Overview },
    handle: async (admin, { params }) => ok(await overviewOf(admin, params.org)),
  }),
];

async function overviewOf(admin: Admin, org: string) {
  const { quotas, snapshots } = admin;
  const view = await readOrg(admin, org, orgLines(quotas));
  const [{ tables, limits, ageMs }, exports] = await Promise.all([
    snapshots.tables(view.id, CAP_TABLES),
    exportsOf(admin, view.id),
  ]);
  const sums = await allCapSums(withTables(view, tables), limits.values());
  const views = [...view.pools].flatMap(([quota, pool]) => {
    const caps = sums[quota];
    return caps === undefined ? [] : [{ ...poolView(view, quota, pool), caps }];
  });
  return {
    id: view.id,
    name: view.name,
    state: stateOf(view),
    cycle: cycleView(view),
    window: windowView(view),
    seats: { used: view.seatsUsed, total: view.seats ?? null },
    quotas: views,
    exports,
    withoutPlan: [...view.quotas]
      .filter(([quota]) => !view.pools.has(quota))
      .map(([quota, { unit }]) => ({ quota, unit })),
    snapshotAgeMs: ageMs,
  };
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
