import { pluralIn } from '../plural.js';

const count = pluralIn('en');

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const two = (number: number): string => String(number).padStart(2, '0');

export const settings = {
  title: 'Settings',
  about: (name: string) => `Name, seats, cycle and plans of ${name}.`,
  archived: 'Archived',
  archivedText:
    'This organization is archived: all its requests are refused, and nothing can be changed. Within 30 days it can be restored as it was.',
  archive: 'Archive',
  restore: 'Restore',
  org: {
    title: 'Organization',
    name: 'Name',
    id: 'Id',
    seats: 'Seats',
    seatsOf: (used: string, total: string) => `${used} of ${total} used`,
    unlimited: (used: number) => count(used, { one: '# used, no maximum', other: '# used, no maximum' }),
    cycle: 'Cycle',
    every: {
      hour: (minute: number) => `Every hour, at minute ${minute}`,
      day: (hour: number) => `Every day, at ${two(hour)}:00`,
      week: (day: number) => `Every week, on ${WEEKDAYS[day - 1] ?? day}`,
      month: (day: number) => `Every month, on day ${day}`,
      year: (date: number) => `Every year, on day ${date % 100} of month ${Math.floor(date / 100)}`,
    },
    next: 'Next cycle begins',
    timeZone: 'Time zone',
    created: 'Created',
  },
  orgDialog: {
    title: 'Change the organization',
    nameMissing: 'Enter a name.',
    numberMissing: 'Enter a whole number.',
    seatsHelp: (used: number) =>
      count(used, {
        one: 'How many users can be active. # seat is used. Empty: no maximum.',
        other: 'How many users can be active. # seats are used. Empty: no maximum.',
      }),
    every: 'A cycle lasts a',
    everyNames: { hour: 'Hour', day: 'Day', week: 'Week', month: 'Month', year: 'Year' },
    anchors: {
      hour: 'Begins at minute (0 to 59)',
      day: 'Begins at hour (0 to 23)',
      week: 'Begins on weekday (1 is Monday, 7 is Sunday)',
      month: 'Begins on day of the month (1 to 31)',
      year: 'Begins on month and day (101 is 1 January)',
    },
    timeZoneHelp: 'Days and cycles of the organization are in this zone.',
    cycleNote: 'Another cycle applies from its own next beginning. Nothing is reset before.',
  },
  plans: {
    title: 'Plans',
    add: 'Add plan',
    columns: {
      quota: 'Quota',
      mode: 'Mode',
      allowance: 'Allowance in a cycle',
      extra: 'Extra balance',
      consumed: 'Consumed',
      left: 'Left',
    },
    next: (allowance: string, mode: string) => `then ${allowance}, ${mode.toLowerCase()}, from`,
    modes: {
      hard: { name: 'Hard', means: 'When all is consumed, requests are refused.' },
      soft: { name: 'Soft', means: 'When all is consumed, requests go on, and what is beyond is counted.' },
      shadow: { name: 'Shadow', means: 'Only counted: nobody is refused.' },
    },
    topUp: 'Top up',
    topUpOf: (quota: string) => `Top up ${quota}`,
    changeOf: (quota: string) => `Change the plan of ${quota}`,
    empty: { title: 'No plans yet', text: 'Without a plan for a quota, its requests are refused.' },
  },
  planDialog: {
    title: (quota: string) => `Plan of ${quota}`,
    addTitle: 'Add a plan',
    quota: 'Quota',
    quotaHelp: 'Those of the configuration that have no plan yet.',
    allowance: 'Allowance in a cycle',
    allowanceHelp: 'What the organization can consume in each cycle, beside its extra balance.',
    allowanceMissing: 'Enter a number, 0 or more.',
    mode: 'Mode',
    begins: 'Begins',
    now: 'Now',
    nextCycle: (time: string) => `With the next cycle, ${time}`,
    submit: 'Save plan',
    submitBlocking: 'Save and block',
  },
  preview: {
    pool: (pool: string) => `The pool becomes ${pool}.`,
    fine: (left: string) => `${left} would be left. Nobody is blocked.`,
    fineLater: 'Nobody is blocked.',
    exhausted: (consumed: string, pool: string) => `All of it is consumed at once: ${consumed} of ${pool}.`,
    limits: (number: number) =>
      count(number, { one: '# limit is reached at once.', other: '# limits are reached at once.' }),
  },
  topUpDialog: {
    title: (quota: string) => `Top up ${quota}`,
    units: 'Add',
    unitsMissing: 'Enter a number greater than 0.',
    reasonHelp: 'Such as the number of the order. Shown in the audit log.',
    reasonMissing: 'Say why. The audit log shows it.',
    outcome: 'What changes',
    what: 'What',
    now: 'Now',
    after: 'Then',
    pool: 'Pool',
    note: 'It is consumed after the allowance, and what is left stays over the end of the cycle. It cannot be taken back here.',
    submit: (units: string) => `Add ${units}`,
    submitEmpty: 'Add',
  },
  archiveDialog: {
    title: (name: string) => `Archive ${name}?`,
    refused: (users: number) =>
      count(users, {
        one: 'All requests are refused at once, of # user.',
        other: 'All requests are refused at once, of # users.',
      }),
    kept: 'Users, limits, keys and figures are kept.',
    undo: (id: string) => `For 30 days it can be restored. The id ${id} is never used again.`,
  },
  restoreDialog: {
    title: (name: string) => `Restore ${name}?`,
    text: 'Requests are admitted again at once, with the users, limits, keys and figures from before.',
  },
  done: {
    saved: 'Saved.',
    planSet: 'The plan applies now.',
    planPlanned: 'The plan applies from the next cycle.',
    toppedUp: (units: string, quota: string) => `${units} added to the extra balance of ${quota}.`,
    archived: (name: string) => `${name} is archived.`,
    restored: (name: string) => `${name} is restored.`,
  },
};
