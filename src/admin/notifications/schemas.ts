/** Notices as the API shows them. */
import Type from 'typebox';
import { Amount, ETag, Instant, listOf, named, orNull } from '../http/schema.js';
import { Email, members } from '../http/validate.js';

const Thresholds = Type.Array(Type.Integer({ minimum: 1, maximum: 100 }), {
  uniqueItems: true,
  maxItems: 20,
  description: 'Percent of the limit or pool',
});

export const WebhookUrl = Type.String({ minLength: 1, maxLength: 2_000 });

/** One value for users, groups and the org. */
export const ThresholdsByScope = members({ users: Thresholds, groups: Thresholds, org: Thresholds });
export const RefusalsByScope = members({
  users: Type.Boolean(),
  groups: Type.Boolean(),
  org: Type.Boolean(),
});
const RECIPIENTS_MAX = 50;
export const EmailSettings = {
  enabled: Type.Boolean(),
  admins: Type.Boolean({ description: 'Users with the role admin and an address' }),
  recipients: Type.Array(Email, { maxItems: RECIPIENTS_MAX, description: 'Further addresses' }),
};

const webhook = {
  id: Type.String(),
  url: Type.String({ description: 'Callers without the role admin see its origin only' }),
  enabled: Type.Boolean(),
  createdAt: Instant,
  etag: ETag,
};
const WEBHOOK = {
  id: 'Fz8Kq2LmNp4RsT6v',
  url: 'https://hooks.example.com/quota',
  enabled: true,
  createdAt: '2026-05-22T10:00:00.000Z',
  etag: '"Jf3mZp0QkY1xN8vB2cRt7w"',
};

export const WebhookView = named('Webhook', webhook, WEBHOOK);

export const MadeWebhookView = named(
  'MadeWebhook',
  { ...webhook, secret: orNull(Type.String({ description: 'Shown only here; verifies the signatures' })) },
  { ...WEBHOOK, secret: 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD' },
);

export const Notifications = named(
  'Notifications',
  {
    thresholds: ThresholdsByScope,
    refusals: RefusalsByScope,
    email: members({
      ...EmailSettings,
      available: Type.Boolean({ description: 'The config has an SMTP server' }),
      addresses: Type.Array(Type.String(), { description: 'Who gets e-mail now' }),
    }),
    webhooks: Type.Array(WebhookView),
    etag: ETag,
  },
  {
    thresholds: { users: [100], groups: [50, 80, 90, 100], org: [50, 80, 90, 100] },
    refusals: { users: true, groups: true, org: true },
    email: {
      enabled: true,
      admins: true,
      recipients: ['ops@example.com'],
      available: true,
      addresses: ['ops@example.com', 'ann@example.com'],
    },
    webhooks: [WEBHOOK],
    etag: '"Jf3mZp0QkY1xN8vB2cRt7w"',
  },
);

export const NotificationSettings = named(
  'NotificationSettings',
  {
    thresholds: ThresholdsByScope,
    refusals: RefusalsByScope,
    email: members(EmailSettings),
    etag: ETag,
  },
  {
    thresholds: { users: [80, 100], groups: [50, 80, 90, 100], org: [50, 80, 90, 100] },
    refusals: { users: true, groups: true, org: true },
    email: { enabled: true, admins: true, recipients: ['ops@example.com'] },
    etag: '"Jf3mZp0QkY1xN8vB2cRt7w"',
  },
);

const target = {
  channel: Type.Enum(['email', 'webhook']),
  target: Type.String({ description: 'The address, or the id of the webhook' }),
};
const TARGET = { channel: 'email', target: 'ann@example.com' };

const TestResult = named(
  'TestResult',
  { ...target, delivered: Type.Boolean(), error: orNull(Type.String()) },
  { ...TARGET, delivered: true, error: null },
);

export const TestResults = members({ items: Type.Array(TestResult) });

export const NOTICE_FIELDS = {
  at: Instant,
  kind: Type.Enum(['threshold', 'blocked']),
  scope: Type.Enum(['user', 'group', 'org']),
  subject: Type.String({ description: 'Id of the user, group or org whose limit it is' }),
  name: Type.String(),
  quota: Type.String(),
  unit: Type.String(),
  action: Type.String({ description: 'What was refused, or what reached the threshold' }),
  user: Type.String({ description: 'Who made the request' }),
  threshold: Type.Optional(Type.Integer({ description: 'In percent; of a threshold only' })),
  limit: Amount,
  consumed: Amount,
  requested: Type.Optional(Amount),
  cycleStart: Instant,
  resetsAt: orNull(Instant),
};

export const NOTICE = {
  at: '2026-05-22T10:00:00.000Z',
  kind: 'blocked',
  scope: 'user',
  subject: 'ann',
  name: 'Ann Smith',
  quota: 'usage',
  unit: 'units',
  action: 'geocoding',
  user: 'ann',
  limit: 1_000,
  consumed: 996.5,
  requested: 50,
  cycleStart: '2026-05-19T22:00:00.000Z',
  resetsAt: '2026-06-19T22:00:00.000Z',
};

const NoticeView = named('Notice', NOTICE_FIELDS, { ...NOTICE, threshold: 100 });

export const FailedDelivery = named(
  'FailedDelivery',
  {
    id: Type.String(),
    ...target,
    notices: Type.Array(NoticeView),
    invited: Type.Optional(Type.String({ description: 'Of an invitation: the id of the user' })),
    createdAt: Instant,
    attempts: Type.Integer(),
    error: Type.String({ description: 'Of the last attempt' }),
  },
  {
    id: '8b7c1a52-4f0e-4f7e-9d38-6f2f1f3f7a10',
    ...TARGET,
    notices: [NOTICE],
    createdAt: '2026-05-22T10:00:03.000Z',
    attempts: 79,
    error: '550 no such mailbox',
  },
);

export const FailureList = listOf(FailedDelivery, {});
