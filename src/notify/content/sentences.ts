/** The sentences of a notice, in plain text. */
import type { Notice } from '../notice.js';

function units(amount: number, unit: string): string {
  return `${amount.toLocaleString('en-US', { maximumFractionDigits: 6 })} ${unit}`;
}

/** `user "Ana Smith" (ana)`, `group "Analysts" (analysts)`, `the org acme`. */
function subjectOf({ scope, subject, name }: Notice): string {
  if (scope === 'org') return `the org ${subject}`;
  return name === '' || name === subject ? `${scope} ${subject}` : `${scope} “${name}” (${subject})`;
}

export function headlineOf(notice: Notice): string {
  const { kind, scope, quota, threshold = 0 } = notice;
  const who = subjectOf(notice);
  if (kind === 'blocked') return capital(`${who} was refused: ${quota} limit`);
  const what = scope === 'org' ? `of its ${quota} pool` : `of the ${quota} limit`;
  return capital(`${who} reached ${threshold} % ${what}`);
}

export function factsOf(notice: Notice): readonly (readonly [label: string, value: string])[] {
  const { quota, unit, action, user, scope, subject, limit, consumed, requested, resetsAt } = notice;
  const asked = requested === undefined ? [] : [['Requested', units(requested, unit)] as const];
  const by = scope === 'user' && user === subject ? [] : [['User', user] as const];
  return [
    ['Quota', quota],
    ['Action', action],
    ...by,
    [scope === 'org' ? 'Pool' : 'Limit', units(limit, unit)],
    ['Consumed', units(consumed, unit)],
    ...asked,
    [
      'Resets',
      resetsAt === null ? 'the cycle is over' : resetsAt.replace('T', ' ').replace(/:\d\d\.\d+Z$/, ' UTC'),
    ],
    ['Time', notice.at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')],
  ];
}

/** What the notice means, and what an admin can do. */
export function adviceOf(notice: Notice): string {
  const { kind, scope, threshold = 0, resetsAt, limit, consumed } = notice;
  const blocked = kind === 'blocked' || threshold >= 100;
  const wait = resetsAt === null ? '' : ', or wait for the reset';
  if (!blocked) return 'Nothing is refused yet. Raise the limit now if more is needed.';
  const fits = kind === 'blocked' && consumed < limit ? ' Cheaper requests may still fit.' : '';
  if (scope === 'org')
    return `If the pool is hard, all requests that charge this quota are refused.${fits} Top up the pool or change the plan${wait}.`;
  const whom = scope === 'user' ? 'Requests of this user' : 'Requests of all members of this group';
  return `${whom} that charge this quota are refused.${fits} Raise or delete the limit${wait}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
