/**
 * Invariants of every org at any time, computed here independently and in the plainest way: no line over its cap by
 * admissions, held = sum of open holds, consumed = folded + tail, nothing below 0.
 */
import { decodeHold, decodeLimit, decodePlan } from '../../../src/ledger/codec.js';
import type { Ledger, Op, Reply, Table } from '../../../src/ledger/port.js';
import { UNITS_MAX } from '../../../src/quota/charge.js';
import { lineOf } from '../../../src/quota/id.js';
import { fieldsOf } from '../../support/ledgers.js';
import { addLines, Broken, HISTORY } from './pair.js';
import { isMoving } from './stager.js';
import { ALL_LINES, ALL_USERS } from './world.js';

type Fields = Record<string, string>;

export interface Cycle {
  readonly start: number;
  readonly present: boolean;
  readonly consumed: Fields;
  readonly held: Fields;
}

/** What the invariants read. */
export interface State {
  readonly org: Fields;
  readonly limits: Fields;
  readonly holds: Fields;
  readonly members: Fields;
  readonly cycles: readonly Cycle[];
}

export async function stateOf(ledger: Ledger, id: string): Promise<State> {
  const org = await fieldsOf(ledger, id, 'org');
  const present = Number(org.start);
  const starts = new Set([...Object.keys(await fieldsOf(ledger, id, 'cycles')).map(Number), present]);
  const cycles: Cycle[] = [];
  for (const start of starts) {
    const consumed = await fieldsOf(ledger, id, `consumed:${start}`);
    const held = await fieldsOf(ledger, id, `held:${start}`);
    cycles.push({ start, present: start === present, consumed, held });
  }
  const moving = isMoving(org.state);
  const limits = await (moving ? read(ledger, id, 'limits', ALL_LINES) : fieldsOf(ledger, id, 'limits'));
  const members = await (moving ? read(ledger, id, 'members', ALL_USERS) : fieldsOf(ledger, id, 'members'));
  return { org, limits, holds: await fieldsOf(ledger, id, 'holds'), members, cycles };
}

/** While a staging is moved into place, reads show it and scans do not. */
async function read(ledger: Ledger, id: string, table: Table, fields: readonly string[]): Promise<Fields> {
  const { values } = await ledger.read(id, [{ table, fields }]);
  const found = fields.map((field, index) => [field, values[0]?.[index] ?? null] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== null));
}

const units = (fields: Fields, field: string): number => Number(fields[field] ?? 0);
const taken = (cycle: Cycle, line: string): number => units(cycle.consumed, line) + units(cycle.held, line);
const isLine = (field: string): boolean => !field.startsWith('!');

/** floor(pool × share / 10^7) in integers without end. */
function share(pool: number, part: number): bigint {
  return (BigInt(pool) * BigInt(part)) / 10_000_000n;
}

function poolOf(org: Fields, quota: string): number {
  const plan = decodePlan(org[`plan:${quota}`] ?? '0:s');
  return Math.min(UNITS_MAX, plan.allowance + Math.max(0, units(org, `extra:${quota}`)));
}

/** The hard cap of a line; undefined where none applies. */
function hardCap(state: State, line: string): number | undefined {
  const [quota = '', scope] = line.split(':');
  const { org, limits } = state;
  if (scope === 'o') {
    const plan = org[`plan:${quota}`];
    const carried = Math.max(0, units(org, `carry:${quota}`));
    const extra = Math.max(0, units(org, `extra:${quota}`));
    if (plan === undefined || decodePlan(plan).mode !== 'hard') return undefined;
    return poolOf(org, quota) - Math.min(carried, extra);
  }
  const text = limits[line];
  if (text === undefined) return undefined;
  const limit = decodeLimit(text);
  if (limit.shadow) return undefined;
  const pool = poolOf(org, quota);
  const base =
    limit.percent === 0
      ? limit.units
      : Number(share(pool, limit.offset + limit.percent) - share(pool, limit.offset));
  return base + (units(org, 'now') < limit.raiseUntil ? limit.raise : 0);
}

/** What of the extra is neither used nor spoken for, in hard pools; undefined in others. */
function freeExtra(state: State, present: Cycle, quota: string): number | undefined {
  const text = state.org[`plan:${quota}`];
  const plan = text === undefined ? undefined : decodePlan(text);
  if (plan?.mode !== 'hard') return undefined;
  const own = Math.max(0, taken(present, `${quota}:o`) - plan.allowance);
  return units(state.org, `extra:${quota}`) - units(state.org, `carry:${quota}`) - own;
}

/** Whether lines may have grown in this call past what admissions allowed: by true costs, or by a pool that shrank. */
function grewOtherwise(before: State, after: State, ops: readonly Op[], reply: Reply): boolean {
  if (reply.expired > 0) return true;
  const extra = Object.keys(after.org).filter((field) => field.startsWith('extra:'));
  if (extra.some((field) => units(before.org, field) !== units(after.org, field))) return true;
  return ops.some((_, index) => ['settled', 'adjusted'].includes(reply.results[index]?.status ?? ''));
}

/** Lines that grew in a call did so by admissions, within their caps. Returns how many were looked at. */
export function checkCaps(before: State, after: State, ops: readonly Op[], reply: Reply): number {
  if (reply.code !== 'ok' || reply.replayed || grewOtherwise(before, after, ops, reply)) return 0;
  let checked = 0;
  const present = after.cycles.find((cycle) => cycle.present);
  for (const cycle of after.cycles) {
    const was = before.cycles.find((one) => one.start === cycle.start);
    for (const line of Object.keys({ ...cycle.consumed, ...cycle.held }).filter(isLine)) {
      if (taken(cycle, line) <= (was === undefined ? 0 : taken(was, line))) continue;
      if (taken(cycle, line) > UNITS_MAX) throw new Broken(`${line} is more than can be counted`);
      const [quota = '', scope] = line.split(':');
      const closedPool = !cycle.present && scope === 'o';
      const cap = closedPool ? undefined : hardCap(after, line);
      if (cap !== undefined && taken(cycle, line) > cap)
        throw new Broken(`${line} has ${taken(cycle, line)} of ${cap}: over, by an admission`);
      const free = closedPool && present !== undefined ? freeExtra(after, present, quota) : undefined;
      const [allowance = 0] = (cycle.consumed[`!closed:${quota}`] ?? '').split(':').map(Number);
      if (free !== undefined && free < 0 && taken(cycle, line) > allowance)
        throw new Broken(`${line} of a closed cycle took extra that was taken already: ${free}`);
      checked += 1;
    }
  }
  return checked;
}

/** Active users take the seats, each one. */
export function checkSeats({ org, members }: State): void {
  const active = Object.values(members).filter((text) => text.startsWith('a')).length;
  if (units(org, 'seatsUsed') !== active)
    throw new Broken(`${active} users are active, ${org.seatsUsed} seats are used`);
}

/** Held is the sum of the open holds, in every cycle. */
export function checkHeld(state: State): void {
  const sums = new Map<string, number>();
  for (const text of Object.values(state.holds)) {
    const hold = decodeHold(text);
    if (!hold.open) continue;
    for (const item of hold.items) {
      if (item.fixed || item.units === 0) continue;
      const lines = [lineOf(item.quota, 'user', hold.user), lineOf(item.quota, 'org', '')];
      for (const group of hold.groups === '' ? [] : hold.groups.split(','))
        lines.push(lineOf(item.quota, 'group', group));
      for (const line of lines) {
        const field = `${hold.cycle}|${line}`;
        sums.set(field, (sums.get(field) ?? 0) + item.units);
      }
    }
  }
  const actual = state.cycles.flatMap((cycle) => entriesOf(cycle.held, cycle.start));
  compare('held', sums, actual);
}

/** Consumed is what was folded and what still stands in the journal, in every cycle, and never below 0. */
export async function checkConsumed(
  ledger: Ledger,
  id: string,
  state: State,
  cycleMs: number,
): Promise<void> {
  const sums = new Map<string, number>();
  for (const [field, value] of Object.entries(await fieldsOf(ledger, id, HISTORY)))
    sums.set(field, Number(value));
  const fold = (await fieldsOf(ledger, id, 'org')).fold ?? '';
  for (const entry of await ledger.log(id, 'journal', fold, 1_000_000)) addLines(sums, entry.text, cycleMs);
  const actual = state.cycles.flatMap((cycle) => entriesOf(cycle.consumed, cycle.start));
  for (const [field, value] of actual) if (value < 0) throw new Broken(`${field} is ${value}`);
  compare('consumed', sums, actual);
}

function entriesOf(fields: Fields, start: number): [string, number][] {
  const lines = Object.entries(fields).filter(([field]) => isLine(field));
  return lines.map(([line, value]) => [`${start}|${line}`, Number(value)]);
}

function compare(
  what: string,
  expected: ReadonlyMap<string, number>,
  actual: readonly [string, number][],
): void {
  const left = new Map(expected);
  for (const [field, value] of actual) {
    if ((left.get(field) ?? 0) !== value)
      throw new Broken(`${what} of ${field} is ${value}, the records say ${left.get(field) ?? 0}`);
    left.delete(field);
  }
  for (const [field, value] of left)
    if (value !== 0) throw new Broken(`${what} of ${field} is 0, the records say ${value}`);
}
