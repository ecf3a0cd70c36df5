/**
 * Temporary raises: units on top of a limit until a time of the store's clock. A raise ends by itself, and with its limit. Its notices
 * arm themselves: the ledger's markers name the cap.
 */
import Type, { type Static } from 'typebox';
import { encodeLimit } from '../../ledger/codec.js';
import { capNow, type LimitLine, quotaOf } from '../../ledger/view/limit-lines.js';
import type { OrgView } from '../../ledger/view/org-view.js';
import { UNITS_MAX } from '../../quota/charge.js';
import type { Limit } from '../../quota/limit.js';
import { MANAGERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { positiveUnitsIn } from '../http/amounts.js';
import { endpoint, ok } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { invalid, notFound } from '../http/problems.js';
import { DryRun, instantIn, members, Reason, words } from '../http/validate.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { etagOfLimit, raiseOut } from './limit-view.js';
import { dryRunOf, limitReads, lineOfPath, type Outcome, present, shownLimit } from './routes.js';
import { LimitPreview, LimitView } from './schemas.js';

const raiseFields = {
  units: Type.Number({ description: 'Added to the cap' }),
  until: Type.String({ maxLength: 40, description: 'An instant, by the clock of the store' }),
};

export const RaiseUnits = members(raiseFields);
const RaiseBody = members({ ...raiseFields, reason: words(500, 1) });

const raise = endpoint({
  id: 'raiseLimit',
  method: 'POST',
  path: '/orgs/:org/limits/:limit/raise',
  summary: 'Raise a limit until a time; with dryRun, say what the raise would do',
  roles: MANAGERS,
  query: DryRun,
  body: RaiseBody,
  example: { units: 500, until: '2099-01-01T00:00:00Z', reason: 'release week' },
  answers: { 200: Type.Union([LimitView, LimitPreview]) },
  ifMatch: true,
  handle: async (admin, request) => {
    const { body, params, query } = request;
    const line = lineOfPath(admin, params.limit);
    const change: RaiseChange = { line, dryRun: query.dryRun === true, raised: raisedBy(body) };
    return ok(await changeRaise(admin, writeContext(request, body.reason), change));
  },
});

const end = endpoint({
  id: 'endRaise',
  method: 'DELETE',
  path: '/orgs/:org/limits/:limit/raise',
  summary: 'End the raise of a limit now; with dryRun, say what that would block',
  roles: MANAGERS,
  query: { ...DryRun, reason: Reason },
  answers: { 200: Type.Union([LimitView, LimitPreview]) },
  ifMatch: true,
  handle: async (admin, request) => {
    const { params, query } = request;
    const line = lineOfPath(admin, params.limit);
    const change: RaiseChange = { line, dryRun: query.dryRun === true, raised: withoutRaise };
    return ok(await changeRaise(admin, writeContext(request, query.reason), change));
  },
});

export const RAISE_ENDPOINTS = [raise, end];

interface RaiseChange {
  readonly line: LimitLine;
  readonly dryRun: boolean;
  /** The limit with the new raise. Throws where it cannot have it. */
  readonly raised: (view: OrgView, line: LimitLine, before: Limit) => Limit;
}

export function raisedBy({ units, until }: Static<typeof RaiseUnits>): RaiseChange['raised'] {
  const raiseUntil = instantIn(until, 'until');
  return (view, line, before) => {
    const added = positiveUnitsIn(units, quotaOf(view, line.quota), 'units');
    if (raiseUntil <= view.now) throw invalid('until', 'must be in the future');
    const after = { ...before, raise: added, raiseUntil };
    if (capNow(view, line.quota, after) > UNITS_MAX)
      throw invalid('units', 'is too large together with the limit');
    return after;
  };
}

function withoutRaise(view: OrgView, { field }: LimitLine, before: Limit): Limit {
  if (view.now >= before.raiseUntil) throw notFound(`raise of limit ${field}`);
  return { ...before, raise: 0, raiseUntil: 0 };
}

function changeRaise(admin: Admin, context: WriteContext, change: RaiseChange): Promise<Outcome> {
  const { line, dryRun, raised } = change;
  const decide = async (view: OrgView): Promise<WritePlan<Outcome>> => {
    const before = present(view, line);
    checkMatch(context.ifMatch, etagOfLimit(line.field, before));
    const after = raised(view, line, before);
    if (dryRun) return dryRunOf(admin, context.org, { line, limit: after });
    const definition = quotaOf(view, line.quota);
    const shown = (limit: Limit) => (view.now < limit.raiseUntil ? raiseOut(limit, definition) : null);
    const [from, to] = [shown(before), shown(after)];
    const action = to === null ? 'limit.raise-end' : 'limit.raise';
    return {
      changes: [{ set: 'limits', field: line.field, value: encodeLimit(after) }],
      auditEvent: { action, subject: `limit:${line.field}`, from, to },
      ...shownLimit(line),
    };
  };
  return changeOrg(admin, context, { reads: limitReads(line), decide });
}
