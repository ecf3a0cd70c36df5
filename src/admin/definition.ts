/** An org's own fields, and how a definition becomes changes of them. */
import { randomUUID } from 'node:crypto';
import Type from 'typebox';
import type { Change } from '../ledger/port.js';
import type { OrgBook } from '../ledger/view/book.js';
import { instant } from '../ledger/view/lines.js';
import { boundsAt, type CycleRule, EVERY, type Every, nextBoundary, ruleFaults } from '../quota/cycle.js';
import { etagOf } from './etag.js';
import { invalidFields } from './problems.js';
import { members } from './validate.js';

export const Cycle = members({
  every: Type.Enum([...EVERY] as [Every, ...Every[]]),
  anchor: Type.Integer(),
  timeZone: Type.String({ maxLength: 64 }),
});

export interface OrgDefinition {
  readonly name: string;
  /** Undefined: no bound. */
  readonly seats: number | undefined;
  readonly cycle: CycleRule;
}

export const DEFAULT_THRESHOLDS: readonly number[] = [50, 80, 90, 100];

export function set(field: string, value: string | number): Change {
  return { set: 'org', field, value: String(value) };
}

export function ruleIn(cycle: CycleRule): CycleRule {
  const faults = ruleFaults(cycle);
  if (faults.length > 0)
    throw invalidFields(faults.map(({ field, problem }) => ({ field: `cycle/${field}`, problem })));
  const { every, anchor, timeZone } = cycle;
  return { every, anchor, timeZone };
}

/** The fields of a new org; `now` is the store's time. */
export function newOrg(
  definition: OrgDefinition,
  now: number,
  thresholds: readonly number[] = DEFAULT_THRESHOLDS,
): Change[] {
  const { start, end } = boundsAt(definition.cycle, now);
  return [
    set('epoch', randomUUID()),
    set('now', now),
    set('start', start),
    set('end', end),
    set('prev', 0),
    set('rule', JSON.stringify(definition.cycle)),
    set('ruleVersion', 1),
    set('seats', definition.seats ?? ''),
    set('seatsUsed', 0),
    set('name', definition.name),
    set('state', 'open'),
    set('created', now),
    set('thresholds', [...thresholds].sort((a, b) => a - b).join(',')),
  ];
}

/** What differs from the org as it is. A new rule takes over at its next boundary; nothing is reset before. */
export function orgChanges(book: OrgBook, definition: OrgDefinition): Change[] {
  const changes: Change[] = [];
  if (definition.name !== book.name) changes.push(set('name', definition.name));
  if (definition.seats !== book.seats) changes.push(set('seats', definition.seats ?? ''));
  if (!sameRule(definition.cycle, book.rule)) {
    changes.push(set('rule', JSON.stringify(definition.cycle)));
    changes.push(set('ruleVersion', book.ruleVersion + 1));
    changes.push(set('end', nextBoundary(definition.cycle, book.now)));
  }
  return changes;
}

function sameRule(a: CycleRule, b: CycleRule): boolean {
  return a.every === b.every && a.anchor === b.anchor && a.timeZone === b.timeZone;
}

export function etagOfOrg(book: OrgBook): string {
  const state = book.open ? 'open' : 'archived';
  return etagOf('org', book.id, book.name, String(book.seats), JSON.stringify(book.rule), state);
}

export function orgView(book: OrgBook) {
  return {
    id: book.id,
    name: book.name,
    state: book.open ? 'open' : 'archived',
    createdAt: instant(book.createdAt),
    seats: book.seats ?? null,
    seatsUsed: book.seatsUsed,
    cycle: book.rule,
    thresholds: book.thresholds === '' ? [] : book.thresholds.split(',').map(Number),
    etag: etagOfOrg(book),
  };
}
