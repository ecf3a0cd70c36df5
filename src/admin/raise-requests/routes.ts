/** What callers asked for: a raise of one of their limits. An admin raises the limit or declines, which closes the request. */
import Type, { type Static } from 'typebox';
import { encodeLimit } from '../../ledger/codec.js';
import type { Change } from '../../ledger/port.js';
import { instant, type LimitLine, parseLine, quotaOf } from '../../ledger/view/limit-lines.js';
import { fieldsOf, type OrgView, readOrg, textIn } from '../../ledger/view/org-view.js';
import {
  type RaiseRequest,
  raiseRequestField,
  raiseRequestIn,
  raiseRequestsIn,
  stateOf,
} from '../../notify/raise-requests.js';
import { userIdOf } from '../../quota/id.js';
import { formatUnits } from '../../quota/units.js';
import { MANAGERS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { checkMatch, etagOf } from '../http/etag.js';
import { pageOf } from '../http/paging.js';
import { invalid, notFound } from '../http/problems.js';
import { members, Paging, Reason } from '../http/validate.js';
import { raiseOut } from '../limits/limit-view.js';
import { RaiseUnits, raisedBy } from '../limits/raise.js';
import { limitReads, lineOfPath, present } from '../limits/routes.js';
import { changeOrg, type WritePlan, writeContext } from '../writes/change.js';
import { RaiseRequestList, RaiseRequestView, RequestState } from './schemas.js';

const ListQuery = { ...Paging, state: Type.Optional(RequestState) };
type ListQuery = MembersOf<typeof ListQuery>;

const list = endpoint({
  id: 'listRaiseRequests',
  method: 'GET',
  path: '/orgs/:org/raise-requests',
  summary: 'List the raises that callers asked for, newest first',
  roles: READERS,
  query: ListQuery,
  answers: { 200: RaiseRequestList },
  handle: async (admin, { params, query }) => ok(await listRequests(admin, params.org, query)),
});

const AnswerBody = members({
  answer: Type.Enum(['raised', 'declined']),
  /** With `raised`: raises the limit in the same step. Absent: it was raised before. */
  raise: Type.Optional(RaiseUnits),
  reason: Reason,
});
type AnswerBody = Static<typeof AnswerBody>;

const answer = endpoint({
  id: 'answerRaiseRequest',
  method: 'POST',
  path: '/orgs/:org/raise-requests/:limit/answer',
  summary: 'Answer a request for a raise: raise the limit until a time, or decline; both close the request',
  roles: MANAGERS,
  body: AnswerBody,
  example: { answer: 'raised', raise: { units: 500, until: '2099-01-01T00:00:00Z' }, reason: 'release week' },
  answers: { 200: RaiseRequestView },
  ifMatch: true,
  handle: async (admin, request) => {
    const { body, params } = request;
    const line = lineOfPath(admin, params.limit);
    const context = writeContext(request, body.reason);
    const field = raiseRequestField(line.field);
    const decide = (view: OrgView): WritePlan<RequestView> => {
      const text = textIn(view.tables, 'notices', field);
      const open = text === undefined ? undefined : raiseRequestIn(text);
      if (open === undefined || stateOf(open, view) !== 'open')
        throw notFound(`open request for a raise of limit ${line.field}`);
      checkMatch(context.ifMatch, requestView(view, line, open).etag);
      return answered(view, { line, open, body, was: text, by: context.who });
    };
    const reads = [...limitReads(line), { table: 'notices', fields: [field] } as const];
    return ok(await changeOrg(admin, context, { reads, decide }));
  },
});

export const RAISE_REQUEST_ENDPOINTS = [list, answer];

interface Answered {
  readonly line: LimitLine;
  readonly open: RaiseRequest;
  /** As it is stored. */
  readonly was: string | undefined;
  readonly body: AnswerBody;
  readonly by: string;
}

function answered(view: OrgView, { line, open, was, body, by }: Answered): WritePlan<RequestView> {
  const { answer: state, raise, reason = '' } = body;
  if (raise !== undefined && state === 'declined') throw invalid('raise', 'cannot go with declined');
  const closed: RaiseRequest = { ...open, state, answer: { at: view.now, by, reason } };
  const changes: Change[] = [
    { set: 'notices', field: raiseRequestField(line.field), value: JSON.stringify(closed), was },
  ];
  let shown = null;
  if (raise !== undefined) {
    const after = raisedBy(raise)(view, line, present(view, line));
    changes.push({ set: 'limits', field: line.field, value: encodeLimit(after) });
    shown = raiseOut(after, quotaOf(view, line.quota));
  }
  const [from, to] = [
    { state: 'open', user: open.user },
    { state, raise: shown },
  ];
  const auditEvent = { action: 'raise-request.answer', subject: `limit:${line.field}`, from, to };
  return { changes, auditEvent, answer: requestView(view, line, closed) };
}

type RequestView = ReturnType<typeof requestView>;

function requestView(view: OrgView, line: LimitLine, request: RaiseRequest) {
  const { quota, scope, subject, field } = line;
  const { unit, decimals } = quotaOf(view, quota);
  const { user, units, reason, at, answer: given } = request;
  return {
    limit: field,
    quota,
    unit,
    scope: scope === 'group' ? scope : 'user',
    subject: scope === 'group' ? subject : userIdOf(subject),
    user,
    units: units === null ? null : formatUnits(units, decimals),
    reason,
    at: instant(at),
    state: stateOf(request, view),
    answeredBy: given?.by ?? null,
    answeredAt: given === undefined ? null : instant(given.at),
    answer: given?.reason ?? null,
    etag: etagOf('raise-request', field, JSON.stringify(request)),
  } as const;
}

async function listRequests(admin: Admin, org: string, query: ListQuery) {
  const view = await readOrg(admin, org);
  const { tables, ageMs } = await admin.snapshots.tables(org, ['notices']);
  const requests = [...raiseRequestsIn(fieldsOf(tables, 'notices'))];
  const page = await pageOf(
    {
      rows: requests.flatMap(([field, request]) => {
        const line = parseLine(field);
        // Quotas that the config no longer has have no unit.
        return line === undefined || !view.quotas.has(line.quota) ? [] : [requestView(view, line, request)];
      }),
      id: ({ limit }: RequestView) => limit,
      accept: ({ state }) => query.state === undefined || state === query.state,
      ranks: { at: ({ at }) => Date.parse(at), limit: ({ limit }) => limit },
    },
    { sort: '-at', ...query },
  );
  return { items: page.rows, cursor: page.cursor, snapshotAgeMs: ageMs };
}
