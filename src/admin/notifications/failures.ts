/** Deliveries that were given up: listed, and sent again by hand. */
import { randomUUID } from 'node:crypto';
import { NOTICES_DUE } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import { readOrg, textIn } from '../../ledger/view/org-view.js';
import {
  batchField,
  deliveriesIn,
  deliveryField,
  isWaiting,
  KEEP_MS,
  type PlacedDelivery,
  placedDelivery,
} from '../../notify/deliveries.js';
import type { Notice } from '../../notify/notice.js';
import { MANAGERS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, type MembersOf, ok } from '../http/endpoint.js';
import { pageOf } from '../http/paging.js';
import { notFound } from '../http/problems.js';
import { members, Paging, Reason } from '../http/validate.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { noticeTable, targetView } from './read.js';
import { FailedDelivery, FailureList } from './schemas.js';

const list = endpoint({
  id: 'listFailedNotices',
  method: 'GET',
  path: '/orgs/:org/notifications/failures',
  summary: 'List messages that could not be delivered in three days',
  roles: READERS,
  query: Paging,
  answers: { 200: FailureList },
  handle: async (admin, { params, query }) => {
    const { id } = await readOrg(admin, params.org);
    return ok(await listFailures(admin, id, query));
  },
});

const resend = endpoint({
  id: 'resendFailedNotice',
  method: 'POST',
  path: '/orgs/:org/notifications/failures/:delivery/resend',
  summary: 'Deliver such a message again, for three more days, under its old message id',
  roles: MANAGERS,
  body: members({ reason: Reason }),
  example: { reason: 'the mailbox exists now' },
  answers: { 200: FailedDelivery },
  handle: async (admin, request) => {
    const context = writeContext(request, request.body.reason);
    return ok(await sendAgain(admin, context, request.params.delivery));
  },
});

export const FAILURE_ENDPOINTS = [list, resend];

async function listFailures(admin: Admin, org: string, query: MembersOf<typeof Paging>) {
  const table = await noticeTable(admin, org);
  const failed = deliveriesIn(table).list.filter((one) => !isWaiting(one));
  const page = await pageOf(
    {
      rows: failed,
      id: ({ id }: PlacedDelivery) => id,
      accept: () => true,
      ranks: {
        createdAt: ({ delivery }: PlacedDelivery) => delivery.createdAt,
        target: ({ delivery }: PlacedDelivery) => delivery.target,
      },
    },
    query,
  );
  const items = page.rows.map((row) => failureView(row, (field) => table.get(field)));
  return { items, cursor: page.cursor };
}

function failureView({ id, delivery }: PlacedDelivery, textOf: (field: string) => string | undefined) {
  const { target, batches, invitation, createdAt, attempts, error } = delivery;
  const notices = batches.flatMap((batch) => JSON.parse(textOf(batchField(batch)) ?? '[]') as Notice[]);
  const invited = invitation === undefined ? {} : { invited: invitation.user };
  return { id, ...targetView(target), notices, ...invited, createdAt: instant(createdAt), attempts, error };
}

function sendAgain(admin: Admin, context: WriteContext, id: string) {
  const field = deliveryField(id);
  return changeOrg(admin, context, {
    reads: [{ table: 'notices', fields: [field] }],
    decide: (view): WritePlan<ReturnType<typeof failureView>> => {
      const text = textIn(view.tables, 'notices', field);
      const placed = text === undefined ? undefined : placedDelivery(field, text);
      if (placed === undefined || isWaiting(placed)) throw notFound(`failed delivery ${id}`);
      const { now } = view;
      const waiting = { ...placed.delivery, nextAt: now, giveUpAt: now + KEEP_MS };
      return {
        changes: [
          { set: 'notices', field, value: JSON.stringify(waiting), was: text },
          // A value of its own, so that a process that is at work here looks again.
          { set: 'notices', field: NOTICES_DUE, value: `${now}:${randomUUID()}` },
        ],
        auditEvent: {
          action: 'notice.resend',
          subject: `delivery:${id}`,
          from: { error: placed.delivery.error },
          to: { target: placed.delivery.target, notices: placed.delivery.notices },
        },
        wants: [{ table: 'notices', fields: placed.delivery.batches.map(batchField) }],
        show: ({ tables }) => failureView(placed, (batch) => textIn(tables, 'notices', batch)),
      };
    },
  });
}
