/** The schema of orgs: their cycle, plans, users, groups and limits. */
import Type from 'typebox';
import { GROUPS_MAX } from '../quota/charge.js';
import { quota } from './routes.js';
import {
  amount,
  email,
  flag,
  mapOf,
  name,
  oneOf,
  type Prose,
  percent,
  positiveAmount,
  section,
  userId,
  whole,
  words,
} from './schema-types.js';

const timeZone = Type.String({
  default: 'UTC',
  expects: 'an IANA time zone, such as Europe/Madrid',
  description: 'Time zone in which the cycle begins.',
});

// biome-ignore lint/complexity/useMaxParams: a row of the union below, in the order of its columns.
function cycle<const E extends string>(
  every: E,
  first: number,
  last: number,
  expects: string,
  own: Prose = {},
) {
  return section({
    every: oneOf([every], { description: 'Length of a cycle. Counters reset at its end.', ...own }),
    anchor: whole(first, last, {
      default: first,
      expects,
      description: 'When a cycle begins. Left out: the first possible value.',
    }),
    timeZone,
  });
}

const Cycle = Type.Union(
  [
    cycle('month', 1, 31, 'every month: the day, 1 to 31 (in short months the last day)', {
      default: 'month',
    }),
    cycle('hour', 0, 59, 'every hour: the minute, 0 to 59'),
    cycle('day', 0, 23, 'every day: the hour, 0 to 23'),
    cycle('week', 1, 7, 'every week: the weekday, 1 (Monday) to 7'),
    cycle('year', 101, 1231, 'every year: month × 100 + day, 101 (January 1) to 1231'),
  ],
  { default: {} },
);

const Plan = section({
  allowance: amount({
    description: 'Units included in a cycle. With 0 and `mode: soft`, consumption is only counted.',
  }),
  mode: oneOf(['hard', 'soft', 'shadow'], {
    default: 'hard',
    description:
      '`hard` refuses when the pool is exhausted, `soft` admits and reports, `shadow` only observes.',
  }),
  extra: amount({ default: 0, description: 'Balance that is used after the allowance. It does not expire.' }),
});

const User = section({
  name: Type.Optional(words({ description: 'Name shown to admins.' })),
  email: Type.Optional(email({ description: 'E-mail address.' })),
  role: Type.Optional(words({ description: 'Role shown to admins.' })),
  groups: Type.Array(name({}), {
    default: [],
    maxItems: GROUPS_MAX,
    uniqueItems: true,
    expects: `a list of at most ${GROUPS_MAX} groups of the org`,
    description: 'Groups of the user.',
  }),
});

const Group = section({ name: Type.Optional(words({ description: 'Name shown to admins.' })) });

const limitUser = userId({ description: 'The user that is limited.' });
const limitGroup = name({ description: 'The group whose members are limited together.' });
const limitUnits = positiveAmount({ description: 'The limit, in units.' });
const limitPercent = percent({ description: 'The limit, as a percent of the org’s pool.' });
const shadow = flag({
  default: false,
  description: 'The limit is evaluated, counted and logged, but never refuses.',
});

export const Limit = Type.Union([
  section({ user: limitUser, quota, units: limitUnits, shadow }),
  section({ user: limitUser, quota, percent: limitPercent, shadow }),
  section({ group: limitGroup, quota, units: limitUnits, shadow }),
  section({ group: limitGroup, quota, percent: limitPercent, shadow }),
]);

export const Org = section({
  name: Type.Optional(words({ description: 'Name shown to admins.' })),
  seats: Type.Optional(whole(1, 1_000_000_000, { description: 'Most active users. Left out: any number.' })),
  cycle: Cycle,
  plans: mapOf(Plan, {
    keyName: 'quota',
    keys: name({}),
    default: {},
    description: 'What the org may consume, by quota.',
  }),
  users: mapOf(User, {
    keyName: 'user',
    keys: userId({}),
    default: {},
    description: 'Users of the org, by id.',
  }),
  groups: mapOf(Group, {
    keyName: 'group',
    keys: name({}),
    default: {},
    description: 'Groups of the org, by id.',
  }),
  limits: Type.Array(Limit, {
    default: [],
    expects: 'a list of limits',
    description: 'Caps on users and groups; one for each subject and quota.',
  }),
  thresholds: Type.Array(whole(1, 100, {}), {
    default: [50, 80, 90, 100],
    uniqueItems: true,
    maxItems: 16,
    expects: 'a list of whole numbers from 1 to 100',
    description:
      'Percents of a limit or pool at which admins are told about groups and the org. Users: at 100, until the admin API changes it.',
  }),
});
