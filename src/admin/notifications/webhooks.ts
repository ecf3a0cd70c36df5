/** Webhooks of an org. Their secrets are shown once; a new secret signs beside the old one for a day. */
import Type from 'typebox';
import { type OrgView, textIn } from '../../ledger/view/org-view.js';
import {
  newSecret,
  type PlacedWebhook,
  rotated,
  type Webhook,
  webhookField,
  webhookIn,
} from '../../notify/webhooks.js';
import { ADMINS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { createdSecret, done, endpoint, ok } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { invalid, notFound } from '../http/problems.js';
import { NoBody } from '../http/schema.js';
import { members, Reason } from '../http/validate.js';
import { newId } from '../tokens/secrets.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { etagOfWebhook, webhookView } from './read.js';
import { MadeWebhookView, WebhookUrl, WebhookView } from './schemas.js';
import {
  auditedWebhook,
  urlIn,
  WEBHOOK_COUNT_WANT,
  WEBHOOKS_MAX,
  webhookCountIn,
  webhooksBy,
} from './webhook-rules.js';

const add = endpoint({
  id: 'createWebhook',
  method: 'POST',
  path: '/orgs/:org/notifications/webhooks',
  summary: 'Add a webhook for notices; its secret is shown once',
  roles: ADMINS,
  body: members({ url: WebhookUrl, reason: Reason }),
  example: { url: 'https://hooks.example.com/quota', reason: 'tell the chat' },
  answers: { 201: MadeWebhookView },
  handle: async (admin, request) => {
    const { body, params } = request;
    const made = await addWebhook(admin, writeContext(request, body.reason), urlIn(body.url, 'url'));
    const place = `/v1/orgs/${params.org}/notifications/webhooks/${made.id}`;
    return createdSecret(place, made);
  },
});

const change = endpoint({
  id: 'changeWebhook',
  method: 'PATCH',
  path: '/orgs/:org/notifications/webhooks/:webhook',
  summary: 'Change the URL of a webhook, or switch it off and on',
  roles: ADMINS,
  body: members({ url: Type.Optional(WebhookUrl), enabled: Type.Optional(Type.Boolean()), reason: Reason }),
  example: { enabled: false, reason: 'maintenance of the receiver' },
  answers: { 200: WebhookView },
  ifMatch: true,
  handle: async (admin, request) => {
    const { url, enabled, reason } = request.body;
    const patch = {
      ...(url === undefined ? {} : { url: urlIn(url, 'url') }),
      ...(enabled === undefined ? {} : { enabled }),
    };
    const { webhook: id } = request.params;
    return ok(
      await changeWebhook(admin, writeContext(request, reason), {
        id,
        action: 'webhook.change',
        next: (webhook) => ({ ...webhook, ...patch }),
        show: (webhook) => webhookView(webhook, request.access),
      }),
    );
  },
});

const rotate = endpoint({
  id: 'rotateWebhookSecret',
  method: 'POST',
  path: '/orgs/:org/notifications/webhooks/:webhook/rotate',
  summary: 'Give a webhook a new secret, shown once; the old one signs too for 24 hours',
  roles: ADMINS,
  body: members({ reason: Reason }),
  example: { reason: 'yearly rotation' },
  answers: { 201: MadeWebhookView },
  handle: async (admin, request) => {
    const { org, webhook: id } = request.params;
    const secret = newSecret();
    const made = await changeWebhook(admin, writeContext(request, request.body.reason), {
      id,
      action: 'webhook.rotate',
      next: (webhook, now) => rotated(webhook, secret, now),
      show: (webhook) => madeView(webhook, secret),
      repeated: (webhook) => madeView(webhook, null),
    });
    return createdSecret(`/v1/orgs/${org}/notifications/webhooks/${id}`, made);
  },
});

const remove = endpoint({
  id: 'deleteWebhook',
  method: 'DELETE',
  path: '/orgs/:org/notifications/webhooks/:webhook',
  summary: 'Delete a webhook',
  roles: ADMINS,
  query: { reason: Reason },
  answers: { 204: NoBody },
  ifMatch: true,
  handle: async (admin, request) => {
    const { webhook: id } = request.params;
    const context = writeContext(request, request.query.reason);
    await changeOrg(admin, context, {
      reads: wantOf(id),
      decide: (view): WritePlan<undefined> => {
        const webhook = webhookOf(view, id);
        checkMatch(context.ifMatch, etagOfWebhook(webhook));
        const changes = [{ del: 'notices', field: webhookField(id) } as const, webhooksBy(-1)];
        const auditEvent = {
          action: 'webhook.delete',
          subject: `webhook:${id}`,
          from: auditedWebhook(webhook),
        };
        return { changes, auditEvent, answer: undefined };
      },
    });
    return done();
  },
});

export const WEBHOOK_ENDPOINTS = [add, change, rotate, remove];

function wantOf(id: string) {
  return [{ table: 'notices', fields: [webhookField(id)] }] as const;
}

function webhookOf({ tables }: OrgView, id: string): PlacedWebhook {
  const text = textIn(tables, 'notices', webhookField(id));
  if (text === undefined) throw notFound(`webhook ${id}`);
  return webhookIn(id, text);
}

function madeView(webhook: PlacedWebhook, secret: string | null) {
  return { ...webhookView(webhook, { role: 'admin' }), secret };
}

async function addWebhook(admin: Admin, context: WriteContext, url: string) {
  const id = newId();
  const secret = newSecret();
  return changeOrg(admin, context, {
    reads: [WEBHOOK_COUNT_WANT],
    decide: ({ now, tables }) => {
      if (webhookCountIn(tables) >= WEBHOOKS_MAX)
        throw invalid('url', `an org has at most ${WEBHOOKS_MAX} webhooks`);
      const webhook: Webhook = { url, enabled: true, createdAt: now, secrets: [{ secret, until: 0 }] };
      const placed = { id, ...webhook };
      const value = JSON.stringify(webhook);
      return {
        changes: [{ set: 'notices', field: webhookField(id), value }, webhooksBy(1)],
        auditEvent: { action: 'webhook.add', subject: `webhook:${id}`, to: auditedWebhook(webhook) },
        answer: madeView(placed, secret),
        repeated: madeView(placed, null),
      };
    },
  });
}

interface WebhookChange<Answer> {
  readonly id: string;
  readonly action: string;
  readonly next: (webhook: Webhook, now: number) => Webhook;
  readonly show: (webhook: PlacedWebhook) => Answer;
  readonly repeated?: (webhook: PlacedWebhook) => Answer;
}

function changeWebhook<Answer>(
  admin: Admin,
  context: WriteContext,
  { id, action, next, show, repeated }: WebhookChange<Answer>,
): Promise<Answer> {
  return changeOrg(admin, context, {
    reads: wantOf(id),
    decide: (view): WritePlan<Answer> => {
      const { id: _, ...before } = webhookOf(view, id);
      checkMatch(context.ifMatch, etagOfWebhook({ id, ...before }));
      const after = next(before, view.now);
      const placed = { id, ...after };
      const value = JSON.stringify(after);
      if (value === JSON.stringify(before)) return { changes: [], answer: show(placed) };
      const [from, to] = [auditedWebhook(before), auditedWebhook(after)];
      return {
        changes: [{ set: 'notices', field: webhookField(id), value }],
        auditEvent: { action, subject: `webhook:${id}`, from, to },
        answer: show(placed),
        ...(repeated === undefined ? {} : { repeated: repeated(placed) }),
      };
    },
  });
}
