/** Letters and numbers of apply.lua's arguments and replies. `lua/README.md` has the same table; a test compares them. */
import type { Scope } from '../../quota/id.js';
import type { Adjusted, CallCode, Denied, Done, Op } from '../port.js';

export const OPERATION = {
  reserve: 'R',
  settle: 'S',
  release: 'L',
  renew: 'N',
  refund: 'F',
  charge: 'C',
  refusals: 'X',
  adjust: 'A',
  none: '0',
} as const satisfies Record<Op['kind'], string>;

/** Marks within arguments. */
export const MARK = {
  /** Before the id of an API key in the place of a user. */
  key: '#',
  /** Before the charges of the plain reservations that follow. */
  charges: '=',
  /** Between the user of a plain reservation and the claims. */
  claims: ';',
  /** Before claims that must all be known. */
  mustBeKnown: '!',
  estimated: 'e',
  /** An adjustment is for the groups that the user is in. */
  ownGroups: '*',
  /** A release leaves a tombstone. */
  tombstone: '1',
} as const;

export const CODE = {
  ok: 0,
  cycle: 1,
  'no-org': 2,
  lost: 3,
  stale: 4,
  'producer-lost': 5,
  'producer-behind': 6,
  clock: 7,
} as const satisfies Record<CallCode, number>;

/** Codes of the common path: `ok` of a call that ran now, or was answered before. */
export const COMMON = { first: '8', replayed: '9' } as const;

/** The first number of a result. */
export const RESULT = {
  admitted: 0,
  spent: 1,
  held: 2,
  denied: 3,
  settled: 4,
  done: 5,
  adjusted: 6,
} as const;

export const DENIED = {
  'no-plan': 1,
  'unknown-user': 2,
  'inactive-user': 3,
  'no-seat': 4,
  'too-many-groups': 5,
  'org-archived': 6,
  voided: 7,
  'invalid-key': 8,
  'unknown-group': 9,
} as const satisfies Record<Denied['reason'], number>;

export const DONE = {
  released: 1,
  renewed: 2,
  refunded: 3,
  'unknown-hold': 4,
  'expired-hold': 5,
  'other-cycle': 6,
  none: 7,
  unproven: 8,
  noted: 9,
} as const satisfies Record<Done['status'], number>;

export const OUTCOME = {
  corrected: 1,
  'below-zero': 2,
  'too-large': 3,
} as const satisfies Record<Adjusted['outcome'], number>;

/** 0: no scope. */
export const SCOPE = { user: 1, group: 2, org: 3 } as const satisfies Record<Scope, number>;

/** The names of a table, each at the place of its number. */
export function namesByNumber<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
): readonly (Name | undefined)[] {
  const names: (Name | undefined)[] = [];
  for (const name of Object.keys(numbers) as Name[]) names[numbers[name]] = name;
  return names;
}
