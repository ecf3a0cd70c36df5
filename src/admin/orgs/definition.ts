/** An org's own fields, and how a definition is converted to changes of them. */
import { randomUUID } from 'node:crypto';
import Type from 'typebox';
import type { Change } from '../../ledger/port.js';
import { instant } from '../../ledger/view/limit-lines.js';
import type { OrgView } from '../../ledger/view/org-view.js';
import { defaultSettings, SETTINGS, thresholdsOf, thresholdsText } from '../../notify/settings.js';
import { boundsAt, type CycleRule, EVERY, type Every, nextBoundary, ruleFaults } from '../../quota/cycle.js';
import { etagOf } from '../http/etag.js';
import { invalidFields } from '../http/problems.js';
import { members } from '../http/validate.js';

export const Cycle = members({
  every: Type.Enum([...EVERY] as [Every, ...Every[]]),
  anchor: Type.Integer(),
  timeZone: Type.String({ maxLength: 64 }),
});

export interface OrgDefinition {
  readonly name: string;
  /** Undefined: unlimited. */
  readonly seats: number | undefined;
  readonly cycle: CycleRule;
}

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
  /** Of groups and the org; absent: the defaults. */
  thresholds?: readonly number[],
): Change[] {
  const { start, end } = boundsAt(definition.cycle, now);
  const notices = defaultSettings(thresholds);
  const stated = { set: 'notices', field: SETTINGS, value: JSON.stringify(notices) } as const;
  return [
    ...(thresholds === undefined ? [] : [stated]),
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
    set('thresholds', thresholdsText(notices)),
  ];
}

/**
 * Returns the differences from the present org. A new rule takes effect at its next boundary; nothing is reset before.
 */
export function orgChanges(view: OrgView, definition: OrgDefinition): Change[] {
  const changes: Change[] = [];
  if (definition.name !== view.name) changes.push(set('name', definition.name));
  if (definition.seats !== view.seats) changes.push(set('seats', definition.seats ?? ''));
  if (!sameRule(definition.cycle, view.rule)) {
    changes.push(set('rule', JSON.stringify(definition.cycle)));
    changes.push(set('ruleVersion', view.ruleVersion + 1));
    changes.push(set('end', endAfter(view, definition.cycle)));
  }
  return changes;
}

/** When the present cycle ends, under the org's rule or another one. */
export function endAfter({ rule, cycle, now }: OrgView, after: CycleRule): number {
  return sameRule(after, rule) ? cycle.end : nextBoundary(after, now);
}

function sameRule(a: CycleRule, b: CycleRule): boolean {
  return a.every === b.every && a.anchor === b.anchor && a.timeZone === b.timeZone;
}

export function etagOfOrg(view: OrgView): string {
  return etagOf('org', view.id, view.name, String(view.seats), JSON.stringify(view.rule), stateOf(view));
}

export function stateOf({ open }: OrgView) {
  return open ? ('open' as const) : ('archived' as const);
}

export function orgView(view: OrgView) {
  return {
    id: view.id,
    name: view.name,
    state: stateOf(view),
    createdAt: instant(view.createdAt),
    seats: view.seats ?? null,
    seatsUsed: view.seatsUsed,
    cycle: view.rule,
    thresholds: [...thresholdsOf(view.thresholds)],
    etag: etagOfOrg(view),
  };
}
