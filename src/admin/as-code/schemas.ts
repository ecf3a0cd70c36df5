/** An org as a file states it, and how it differs from the present one. */
import Type, { type Static } from 'typebox';
import { GROUPS_MAX } from '../../quota/charge.js';
import { byName, named, orNull } from '../http/schema.js';
import { Email, members, Name, Reason, Title } from '../http/validate.js';
import { StatedLimit } from '../limits/schemas.js';
import { EmailSettings, RefusalsByScope, ThresholdsByScope, WebhookUrl } from '../notifications/schemas.js';
import { Cycle } from '../orgs/definition.js';
import { PlanMode } from '../plans/schemas.js';
import { UserStatus } from '../users/schemas.js';

const ENTRIES_MAX = 50_000;

const Plan = { allowance: Type.Number(), mode: Type.Optional(PlanMode) };

const NextPlan = members({
  ...Plan,
  begins: Type.Optional(
    Type.String({
      maxLength: 40,
      description: 'The start of the next cycle; once it is past, this is the present plan',
    }),
  ),
});

const Webhook = members({
  url: Type.Optional(WebhookUrl),
  enabled: Type.Optional(Type.Boolean()),
  secret: Type.Optional(
    Type.String({
      maxLength: 128,
      description: 'Signs the messages. Left out: the present one, or a new one',
    }),
  ),
});

const Sections = {
  name: Type.Optional(Title),
  /** null: unlimited. */
  seats: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000_000 }), Type.Null()])),
  cycle: Type.Optional(Cycle),
  plans: Type.Optional(byName(members({ ...Plan, next: Type.Optional(orNull(NextPlan)) }))),
  groups: Type.Optional(byName(members({ name: Type.Optional(Title) }))),
  users: Type.Optional(
    byName(
      members({
        name: Type.Optional(Title),
        email: Type.Optional(Email),
        role: Type.Optional(Title),
        status: Type.Optional(UserStatus),
        groups: Type.Optional(Type.Array(Name, { maxItems: GROUPS_MAX, uniqueItems: true })),
      }),
    ),
  ),
  limits: Type.Optional(Type.Array(members(StatedLimit), { maxItems: ENTRIES_MAX })),
  notices: Type.Optional(
    members({
      thresholds: Type.Optional(members(Type.Partial(ThresholdsByScope).properties)),
      refusals: Type.Optional(members(Type.Partial(RefusalsByScope).properties)),
      email: Type.Optional(members(Type.Partial(members(EmailSettings)).properties)),
      webhooks: Type.Optional(byName(Webhook)),
    }),
  ),
};

const EXAMPLE = {
  name: 'Acme',
  seats: 100,
  cycle: { every: 'month', anchor: 20, timeZone: 'Europe/Madrid' },
  plans: {
    usage: {
      allowance: 5_000,
      mode: 'hard',
      next: { allowance: 8_000, mode: 'hard', begins: '2026-06-19T22:00:00.000Z' },
    },
  },
  groups: { analysts: { name: 'Analysts' } },
  users: { ann: { name: 'Ann', email: 'ann@example.com', status: 'active', groups: ['analysts'] } },
  limits: [{ group: 'analysts', quota: 'usage', percent: 20 }],
  notices: {
    thresholds: { users: [80, 100], groups: [50, 80, 90, 100], org: [50, 80, 90, 100] },
    refusals: { users: true, groups: true, org: true },
    email: { enabled: true, admins: true, recipients: ['ops@example.com'] },
    webhooks: { chat: { url: 'https://hooks.example.com/quota', enabled: true } },
  },
} as const;

/** What is left out stays as it is. */
export const StatedOrg = members({ ...Sections, reason: Reason });
export type StatedOrg = Static<typeof StatedOrg>;
export const STATED_ORG = {
  groups: { analysts: { name: 'Analysts' } },
  limits: [{ group: 'analysts', quota: 'usage' as const, percent: 20 }],
};

export const ExportedOrg = named('OrgDefinition', Type.Required(members(Sections)).properties, EXAMPLE);

export type ExportedOrg = Static<typeof ExportedOrg>;

const DIFFERENCE = {
  action: 'limit.change',
  subject: 'limit:usage:u:ann',
  from: { units: 5, shadow: false },
  to: { units: 8, shadow: false },
};

const Difference = named(
  'Difference',
  { action: Type.String(), subject: Type.String(), from: Type.Unknown(), to: Type.Unknown() },
  DIFFERENCE,
);
export type Difference = Static<typeof Difference>;

export const Differences = named(
  'Differences',
  { dryRun: Type.Boolean(), differences: Type.Array(Difference) },
  { dryRun: true, differences: [DIFFERENCE] },
);
