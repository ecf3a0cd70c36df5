import { pluralIn } from '../plural.js';

const count = pluralIn('en');

export const limits = {
  title: 'Limits',
  about: (end: string) =>
    `A limit is hard: who reaches it is blocked at once, until it is raised or the period ends on ${end}.`,
  noQuota: 'This organization has no plan, so there is nothing to limit yet.',
  pool: (pool: string, consumed: string, mode: string) => `Pool of ${pool}, ${consumed} consumed; ${mode}.`,
  modes: {
    hard: 'hard: nobody goes past it',
    soft: 'soft: requests go on past it',
    shadow: 'shadow: counted, never refusing',
  },
  set: 'Set limit',
  tabs: 'Quotas',
  search: 'Search users and groups',
  filterStatus: 'Status',
  filterScope: 'Limits of',
  scopes: { all: 'Users and groups', user: 'Users', group: 'Groups' },
  caption: (quota: string) => `Limits of ${quota}`,
  empty: {
    title: (quota: string) => `No limits on ${quota}`,
    text: 'Everyone can consume the whole pool. Set a limit for a user, or for a group, whose members then share it.',
  },
  columns: {
    subject: 'User or group',
    role: 'Role',
    limit: 'Limit',
    consumed: 'Consumed in this period',
    left: 'Left',
    status: 'Status',
  },
  ofPool: (share: string) => `${share} of the pool`,
  raisedBy: (units: string) => `raised by ${units} until`,
  shadow: 'Shadow',
  shadowTitle: 'Evaluated and counted, never refusing',
  group: 'Group',
  actionsFor: (name: string) => `Actions for ${name}`,
  raise: 'Raise for a time',
  endRaise: 'End raise',
  caps: {
    short: (sum: string) => `The caps of the active users sum to ${sum}, not 100%.`,
    unconsumable: (units: string) => `${units} of the pool cannot be consumed by anyone.`,
    maybe: 'Users without a cap can consume the rest.',
    oversubscribed: (sum: string) =>
      `The caps of the active users sum to ${sum}. Who comes first consumes the pool.`,
    distribute: 'Distribute evenly',
  },
  distribute: {
    title: (quota: string) => `Distribute ${quota} evenly?`,
    about: 'Each active user gets the same part of the pool; together they are exactly 100%.',
    keepAbsolute: 'Keep limits that are set in units',
    each: (users: number, share: string) =>
      count(users, { one: `# active user gets ${share}.`, other: `# active users get ${share} each.` }),
    replaced: (limits: number) =>
      count(limits, { one: '# limit in units is replaced.', other: '# limits in units are replaced.' }),
    blocks: (users: number) =>
      count(users, {
        one: '# user will be blocked at once: more is consumed than that share.',
        other: '# users will be blocked at once: more is consumed than that share.',
      }),
    done: (quota: string) => `${quota} is distributed evenly.`,
  },
  dialog: {
    title: (quota: string) => `Set limit on ${quota}`,
    editTitle: (name: string, quota: string) => `Limit of ${name} on ${quota}`,
    subject: 'User or group',
    subjectHelp: 'The members of a group share its limit.',
    subjectMissing: 'Choose a user or a group from the list.',
    has: (cap: string) => `Has a limit already: ${cap}`,
    amount: 'Limit',
    amountHelp: 'More than 0. There is no unlimited: to lift a limit, delete it.',
    amountMissing: 'Enter a number greater than 0.',
    unitOfAmount: 'Unit of the limit',
    percentOfPool: '% of the pool',
    isPercent: (units: string) => `That is ${units} at present.`,
    shadow: 'Shadow: count and report, but never refuse',
    submit: 'Set limit',
    save: 'Save limit',
    submitBlocking: (users: number) =>
      count(users, { one: 'Save and block # user', other: 'Save and block # users' }),
  },
  preview: {
    checking: 'Checking what this limit would do…',
    fine: (left: string) => `Nobody is blocked by this limit: ${left} would be left.`,
    blocks: (name: string) => `${name} will be blocked at once`,
    blocksGroup: (name: string, users: number) =>
      count(users, {
        one: `# user of ${name} will be blocked at once`,
        other: `# users of ${name} will be blocked at once`,
      }),
    figures: (consumed: string, limit: string) => `${consumed} of ${limit} consumed`,
    held: (held: string) => `and ${held} held`,
    shadow: 'It would be reached at once; in shadow mode nobody is blocked.',
    others: (names: string, more: number) => (more === 0 ? names : `${names} and ${more} more`),
    lastCycle: (users: number, days: string) =>
      count(users, {
        one: `It would have blocked # user in the last period (${days}).`,
        other: `It would have blocked # users in the last period (${days}).`,
      }),
  },
  raiseDialog: {
    title: (name: string, quota: string) => `Raise the limit of ${name} on ${quota}`,
    now: (limit: string, consumed: string) => `The limit is ${limit}; ${consumed} are consumed.`,
    units: 'Raise by',
    unitsMissing: 'Enter a number greater than 0.',
    until: 'Until',
    untilHelp: (zone: string) => `Time in ${zone}. The raise then ends by itself.`,
    untilMissing: 'Enter a time in the future.',
    reasonMissing: 'Say why. The audit log shows it.',
    quick: 'Suggestions',
    tomorrow: 'Tomorrow',
    friday: 'Friday evening',
    reset: 'End of period',
    becomes: (limit: string, left: string) => `The limit becomes ${limit}: ${left} left.`,
    staysReached: (limit: string, consumed: string) =>
      `The limit becomes ${limit}, of which ${consumed} are consumed: it stays reached.`,
    submit: 'Raise limit',
    asks: (user: string) => `${user} asks for a raise.`,
    asksFor: (user: string, units: string) => `${user} asks for ${units} more.`,
    decline: 'Decline',
  },
  deleteDialog: {
    title: (name: string, quota: string) => `Delete the limit of ${name} on ${quota}?`,
    user: (name: string) => `${name} can then consume what groups and the pool leave.`,
    group: (name: string) =>
      `The members of ${name} can then consume what their own limits and the pool leave.`,
    unblocks: 'Who is blocked by it can go on at once.',
    kept: (consumed: string) => `The ${consumed} that are consumed stay counted.`,
  },
  endRaiseDialog: {
    title: (name: string, quota: string) => `End the raise of ${name} on ${quota}?`,
    text: (units: string) => `The ${units} on top are taken away now.`,
    blocks: (name: string, consumed: string, cap: string) =>
      `${name} will be blocked at once: ${consumed} of ${cap} consumed.`,
  },
  done: {
    set: (name: string, limit: string) => `The limit of ${name} is ${limit}.`,
    deleted: (name: string) => `The limit of ${name} is deleted.`,
    raised: (name: string) => `The limit of ${name} is raised.`,
    declined: (name: string) => `The request for ${name} is declined.`,
    ended: (name: string) => `The raise of ${name} has ended.`,
  },
};
