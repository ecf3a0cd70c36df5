/** The caller's own figures: every limit that applies to them, what is consumed and left, and when it resets. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import type { Identifier, Identity } from '../identify/identifier.js';
import { decodeGroup, decodeMember, holderOfKey } from '../ledger/codec.js';
import { type Ledger, StoreError, type Want } from '../ledger/port.js';
import { capNow, figuresOf, instant, limitIn, standingOf } from '../ledger/view/limit-lines.js';
import { type OrgView, readOrg } from '../ledger/view/org-view.js';
import { lineOf, type Scope, userIdOf } from '../quota/id.js';
import { formatUnits } from '../quota/units.js';
import type { QuotaLabels } from './ratelimit-fields.js';
import type { Refusal } from './refusal.js';

/** Answers the caller's question; rejects with a ProblemError. */
export type Me = (request: IncomingMessage) => Promise<Refusal>;

interface MeOptions {
  readonly identifier: Identifier;
  readonly ledger: Ledger;
  readonly quotas: QuotaLabels;
  /** Time for one answer of the store. */
  readonly deadlineMs: number;
}

/** So often is the store asked for one answer: whose key it is, which groups, and twice for the figures. */
const READS = 5;

export function meOf(options: MeOptions): Me {
  const answer = answerTo(options);
  return async (request) => {
    const found = await options.identifier.identify(request);
    if (found === undefined) throw new ProblemError('identity-missing', 'The request names no org and user.');
    return inTime(answer(found), READS * options.deadlineMs);
  };
}

/** A store that is slow or down keeps nobody waiting. */
async function inTime(answer: Promise<Refusal>, ms: number): Promise<Refusal> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreError(`No answer within ${ms} ms`, 'unknown')), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    if (error instanceof StoreError)
      throw new ProblemError('store-unavailable', 'The store did not answer in time.');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function answerTo({ ledger, quotas }: MeOptions): (found: Identity) => Promise<Refusal> {
  const definitions = new Map(Object.entries(quotas));
  return async (found) => {
    const identity = found.key === undefined ? found : await holderOf(ledger, found, found.key);
    const groups = await groupsOf(ledger, identity);
    const subjects: Subject[] = [
      { scope: 'user', id: identity.userId, token: identity.user },
      ...groups.map((group): Subject => ({ scope: 'group', id: group, token: group })),
      { scope: 'org', id: identity.org, token: '' },
    ];
    const fields = [...definitions.keys()].flatMap((quota) =>
      subjects.map((s) => lineOf(quota, s.scope, s.token)),
    );
    const view = await readOrg(ledger, definitions, identity.org, (start) => wants(start, fields));
    const body = Buffer.from(JSON.stringify(figures(view, quotas, identity, subjects)));
    const headers = [
      'Content-Type',
      'application/json',
      'Content-Length',
      String(body.length),
      'Cache-Control',
      'no-store',
    ];
    return { status: 200, headers, body };
  };
}

interface Subject {
  readonly scope: Scope;
  readonly id: string;
  readonly token: string;
}

function wants(start: number, fields: readonly string[]): Want[] {
  return [
    { table: 'limits', fields },
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ];
}

/** The caller's identity by an API key, as the ledger has it now. */
async function holderOf(ledger: Ledger, identity: Identity, key: string): Promise<Identity> {
  const [id = '', hash = ''] = key.split(':');
  const { now, values } = await ledger.read(identity.org, [{ table: 'keys', fields: [id] }]);
  const record = values[0]?.[0] ?? null;
  const user = record === null ? undefined : holderOfKey(record, hash, now);
  if (user === undefined) throw new ProblemError('credential-invalid', 'The API key is not valid.');
  return { ...identity, user, userId: userIdOf(user) };
}

/** Groups of the directory and of the credential, those that exist. Rejects for an org or user that would be refused. */
async function groupsOf(ledger: Ledger, { org, user, userId, claims }: Identity): Promise<string[]> {
  const { version, values } = await ledger.read(org, [{ table: 'members', fields: [user] }]);
  if (version === 0) throw new ProblemError('unknown-org', `There is no organization ${org}.`);
  const text = values[0]?.[0] ?? null;
  const member = text === null ? undefined : decodeMember(text);
  if (member?.status === 'inactive' || member?.status === 'removed')
    throw new ProblemError('inactive-user', `User ${userId} of organization ${org} is refused.`);
  const listed = member?.groups ?? [];
  const named = [
    ...new Set([...listed.map(({ group }) => group), ...(claims === '' ? [] : claims.split(','))]),
  ];
  const found = await ledger.read(org, [{ table: 'groups', fields: named }]);
  return named.filter((group, index) => {
    const record = found.values[0]?.[index] ?? null;
    if (record === null) return false;
    const { alive, generation } = decodeGroup(record);
    const membership = listed.find((one) => one.group === group);
    return alive && (membership === undefined || membership.generation === generation);
  });
}

function figures(view: OrgView, labels: QuotaLabels, identity: Identity, subjects: readonly Subject[]) {
  const quotas: Record<string, ReturnType<typeof quotaFigures>> = {};
  for (const quota of view.pools.keys()) quotas[quota] = quotaFigures(view, labels, quota, subjects);
  return {
    org: identity.org,
    user: identity.userId,
    cycle: { start: instant(view.cycle.start), end: instant(view.cycle.end) },
    resetsAt: instant(view.cycle.end),
    quotas,
  };
}

function quotaFigures(view: OrgView, labels: QuotaLabels, quota: string, subjects: readonly Subject[]) {
  const { decimals, unit } = labels[quota] ?? { decimals: 0, unit: 'units' };
  const own = figuresOf(view, lineOf(quota, 'user', subjects[0]?.token ?? ''));
  const limits = subjects.flatMap((subject) => limitOf(view, quota, subject, decimals));
  const hard = limits.filter((limit) => limit.mode === 'hard').map((limit) => limit.remaining);
  return {
    unit,
    consumed: formatUnits(own.consumed, decimals),
    held: formatUnits(own.held, decimals),
    /** What the next requests can take at most; null where no hard limit applies. */
    remaining: hard.length === 0 ? null : Math.min(...hard),
    limits,
  };
}

function limitOf(view: OrgView, quota: string, { scope, id, token }: Subject, decimals: number) {
  const field = lineOf(quota, scope, token);
  const cap = scope === 'org' ? poolCap(view, quota) : limitCap(view, quota, field);
  if (cap === undefined) return [];
  const found = figuresOf(view, field);
  const held = found.held + (scope === 'org' ? (view.pools.get(quota)?.carried ?? 0) : 0);
  const standing = standingOf(cap.units, { consumed: found.consumed, held }, cap.mode !== 'hard');
  const out = (units: number): number => formatUnits(units, decimals);
  return [
    {
      scope,
      subject: id,
      mode: cap.mode,
      limit: out(cap.units),
      consumed: out(standing.consumed),
      held: out(standing.held),
      remaining: out(standing.remaining),
    },
  ];
}

interface Cap {
  readonly units: number;
  readonly mode: 'hard' | 'soft' | 'shadow';
}

function poolCap(view: OrgView, quota: string): Cap | undefined {
  const pool = view.pools.get(quota);
  return pool === undefined ? undefined : { units: pool.units, mode: pool.plan.mode };
}

function limitCap(view: OrgView, quota: string, field: string): Cap | undefined {
  const limit = limitIn(view.tables, field);
  if (limit === undefined) return undefined;
  return { units: capNow(view, quota, limit), mode: limit.shadow ? 'shadow' : 'hard' };
}
