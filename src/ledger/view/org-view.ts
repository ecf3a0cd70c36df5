/** A consistent view of one org for display: read in one step, and never in a cycle that is over. */

import { ProblemError } from '../../errors/catalogue.js';
import { type CycleRule, successorOf } from '../../quota/cycle.js';
import { isName } from '../../quota/id.js';
import type { Plan } from '../../quota/limit.js';
import type { Quotas } from '../../quota/units.js';
import { withClosed } from '../call-cycles.js';
import { decodePlan } from '../codec.js';
import {
  type Bounds,
  type DecisionStore,
  type Expectation,
  type OrgStore,
  type Snapshot,
  stagedPrefix,
  type Table,
  type Want,
} from '../port.js';

/** What the org may consume of a quota in the present cycle. */
export interface Pool {
  readonly plan: Plan;
  /** The plan from the next cycle on, if another one was set. */
  readonly next?: Plan;
  readonly extra: number;
  /** Extra that holds of closed cycles may still take: it counts as held. */
  readonly carried: number;
  /** Allowance + extra. */
  readonly units: number;
}

/** Fields per table: read one by one, or whole tables. */
export type Tables = ReadonlyMap<Table, ReadonlyMap<string, string>>;

export interface OrgView {
  readonly id: string;
  readonly quotas: Quotas;
  readonly version: number;
  /** The time of the view; no other clock is used here. */
  readonly now: number;
  readonly epoch: string;
  readonly name: string;
  readonly open: boolean;
  /** A staging is being moved into place: it is read as if it were, but no change can be committed. */
  readonly isMoving: boolean;
  /** Changes with every limit: what a write expects that has read all of them. */
  readonly limitsVersion: string | null;
  readonly createdAt: number;
  /** Undefined: unlimited. */
  readonly seats: number | undefined;
  readonly seatsUsed: number;
  readonly thresholds: string;
  readonly rule: CycleRule;
  readonly ruleVersion: number;
  readonly cycle: Bounds;
  /** Quotas that have a plan. */
  readonly pools: ReadonlyMap<string, Pool>;
  /** Further fields that were requested, or tables that were copied for a list. */
  readonly tables: Tables;
}

/** Returns the same view over other tables: copies of whole tables, for lists. */
export function withTables(view: OrgView, tables: Tables): OrgView {
  return { ...view, tables };
}

const ORG_FIELDS = [
  'epoch',
  'name',
  'state',
  'created',
  'seats',
  'seatsUsed',
  'thresholds',
  'rule',
  'ruleVersion',
  'start',
  'end',
  'limitsVersion',
  'switches',
] as const;

const POOL_FIELDS = ['plan', 'next', 'extra', 'carry'] as const;

/** The view is read again if its cycle differs from the assumed one; more rounds than this are an error. */
const ROUNDS_MAX = 6;

/** What to read besides the org itself: a fixed list, or one that depends on the start of the current cycle. */
export type OrgWants = readonly Want[] | ((start: number) => readonly Want[]);

export const NOTHING_ELSE: OrgWants = [];

/** Where orgs are read. A cycle that is over is closed first, by an empty call. */
export interface OrgSource {
  readonly ledger: Pick<DecisionStore, 'apply'> & Pick<OrgStore, 'read'>;
  readonly quotas: Quotas;
}

/** Throws where the org does not exist. */
export async function readOrg(source: OrgSource, org: string, wants?: OrgWants): Promise<OrgView> {
  const found = await findOrg(source, org, wants);
  if (found.view === undefined) throw noOrg(org);
  return found.view;
}

export interface FoundOrg {
  /** Undefined where the org does not exist. */
  readonly view: OrgView | undefined;
  /** The store's. */
  readonly now: number;
  /** What was read, for a commit that expects it unchanged; the org's own fields first. */
  readonly read: readonly Expectation[];
}

export async function findOrg(
  source: OrgSource,
  org: string,
  wants: OrgWants = NOTHING_ELSE,
): Promise<FoundOrg> {
  const { ledger, quotas } = source;
  if (!isName(org)) throw noOrg(org);
  let start = 0;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const all = allWants(quotas, wants, start);
    const snapshot = await ledger.read(org, all);
    const { now } = snapshot;
    if (snapshot.version === 0) return { view: undefined, now, read: [] };
    const view = orgViewOf({ id: org, quotas, wants: all, snapshot });
    if (view.now >= view.cycle.end) await roll(ledger, view);
    else if (typeof wants !== 'function' || view.cycle.start === start)
      return { view, now, read: all.map((want, at) => ({ ...want, values: snapshot.values[at] ?? [] })) };
    start = view.cycle.start;
  }
  throw new ProblemError('store-busy', 'the cycle changed several times during the request, try again');
}

/** The org's own fields come first. `start`: of the assumed cycle. */
export function allWants(quotas: Quotas, wants: OrgWants, start: number): Want[] {
  const others = typeof wants === 'function' ? wants(start) : wants;
  return [{ table: 'org', fields: orgFields(quotas) }, ...others];
}

/** Rolls the org into the present cycle, as its first request would. */
async function roll(ledger: OrgSource['ledger'], view: OrgView): Promise<void> {
  const cycles = withClosed([successorOf(view.cycle, view.rule, view.now)], view.cycle.start);
  const { epoch, ruleVersion, id: org } = view;
  const idle = { producer: '', seq: 0, unknownUsers: 'deny', expireMost: 0, ops: [] } as const;
  const reply = await ledger.apply({ org, epoch, ruleVersion, cycles, ...idle });
  if (reply.code === 'lost' || reply.code === 'no-org')
    throw new ProblemError('store-lost', `The data of ${org} is missing`);
  if (reply.code === 'clock')
    throw new ProblemError('store-unavailable', 'The store’s clock is outside the accepted range');
}

function orgFields(quotas: Quotas): string[] {
  const pools = [...quotas.keys()].flatMap((quota) => POOL_FIELDS.map((name) => `${name}:${quota}`));
  return [...ORG_FIELDS, ...pools];
}

interface RawOrg {
  readonly id: string;
  readonly quotas: Quotas;
  readonly wants: readonly Want[];
  readonly snapshot: Snapshot;
}

/** `wants` as `allWants` makes them. Throws where the org's data is missing. */
export function orgViewOf({ id, quotas, wants, snapshot }: RawOrg): OrgView {
  const { now, version } = snapshot;
  const [org, ...rest] = wants.map(({ fields }, index) => filled(fields, snapshot.values[index] ?? []));
  if (org === undefined || !org.has('epoch'))
    throw new ProblemError('store-lost', `The data of ${id} is missing`);
  const text = (field: string): string => org.get(field) ?? '';
  const number = (field: string): number => Number(text(field));
  return {
    id,
    quotas,
    version,
    now,
    epoch: text('epoch'),
    name: text('name'),
    open: text('state') !== 'archived',
    isMoving: stagedPrefix(text('state')) !== undefined,
    limitsVersion: org.get('limitsVersion') ?? null,
    createdAt: number('created'),
    seats: text('seats') === '' ? undefined : number('seats'),
    seatsUsed: number('seatsUsed'),
    thresholds: text('thresholds'),
    rule: JSON.parse(text('rule')) as CycleRule,
    ruleVersion: number('ruleVersion'),
    cycle: { start: number('start'), end: number('end') },
    pools: poolsOf(quotas, org),
    tables: merged(wants.slice(1), rest),
  };
}

function filled(fields: readonly string[], values: readonly (string | null)[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const [index, field] of fields.entries()) {
    const value = values[index];
    if (value !== null && value !== undefined) found.set(field, value);
  }
  return found;
}

function poolsOf(quotas: Quotas, org: ReadonlyMap<string, string>): Map<string, Pool> {
  const pools = new Map<string, Pool>();
  for (const quota of quotas.keys()) {
    const text = org.get(`plan:${quota}`);
    if (text === undefined) continue;
    const plan = decodePlan(text);
    const extra = Math.max(0, Number(org.get(`extra:${quota}`) ?? 0));
    const carried = Math.min(extra, Math.max(0, Number(org.get(`carry:${quota}`) ?? 0)));
    const next = org.get(`next:${quota}`);
    const begins = next === undefined ? {} : { next: decodePlan(next) };
    pools.set(quota, { plan, extra, carried, units: plan.allowance + extra, ...begins });
  }
  return pools;
}

/** Two requests may name the same table; their fields are read together. */
function merged(wants: readonly Want[], found: readonly ReadonlyMap<string, string>[]): Tables {
  const tables = new Map<Table, ReadonlyMap<string, string>>();
  for (const [index, { table }] of wants.entries()) {
    const fields = found[index] ?? new Map<string, string>();
    tables.set(table, new Map([...(tables.get(table) ?? []), ...fields]));
  }
  return tables;
}

export function textIn(tables: Tables, table: Table, field: string): string | undefined {
  return tables.get(table)?.get(field);
}

export function numberIn(tables: Tables, table: Table, field: string): number {
  return Number(textIn(tables, table, field) ?? 0);
}

const EMPTY: ReadonlyMap<string, string> = new Map();

export function fieldsOf(tables: Tables, table: Table): ReadonlyMap<string, string> {
  return tables.get(table) ?? EMPTY;
}

function noOrg(org: string): ProblemError {
  return new ProblemError('not-found', `org ${org} not found`);
}
