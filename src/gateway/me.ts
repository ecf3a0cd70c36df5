/** `/quota/me`: every limit that applies to the caller, with consumed and remaining units, and the time of the reset. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import type { Identifier } from '../identify/identifier.js';
import type { Answer } from '../ledger/batching/index.js';
import { type Ledger, type ReserveOp, StoreError } from '../ledger/port.js';
import {
  type AppliedLimit,
  appliedLimits,
  appliedWants,
  type Subject,
  subjectsOf,
} from '../ledger/view/applied-limits.js';
import { figuresOf, instant } from '../ledger/view/limit-lines.js';
import { type OrgView, readOrg } from '../ledger/view/org-view.js';
import { charges } from '../quota/charge.js';
import { lineOf, userIdOf } from '../quota/id.js';
import { definitionIn, formatUnits } from '../quota/units.js';
import { denial, hideOrg, identityMissing } from './denial.js';
import type { QuotaLabels } from './ratelimit-fields.js';
import type { Refusal } from './refusal.js';

/** Rejects with the ProblemError that a request of this caller would get. */
export type Me = (request: IncomingMessage) => Promise<Refusal>;

export interface MeOptions {
  readonly identifier: Identifier;
  /** Asks the ledger whether the caller would be admitted, and which groups count. */
  readonly decide: (org: string, op: ReserveOp) => Promise<Answer>;
  /** The same as for requests. */
  readonly unknownGroups: 'ignore' | 'deny';
  readonly ledger: Ledger;
  readonly quotas: QuotaLabels;
  /** Timeout for one answer of the store. */
  readonly deadlineMs: number;
}

/** Store round trips of one response: the decision, and the figures twice if the cycle has changed. */
const ROUND_TRIPS = 4;

/** The caller's own limits. */
export function meOf(options: MeOptions): Me {
  return answerCallers(options, answerTo(options));
}

/** Answers callers as the ledger admits them. */
export function answerCallers(options: MeOptions, answer: AnswerCaller): Me {
  const { identifier, decide, unknownGroups, deadlineMs } = options;
  return async (request) => {
    const identity = await identifier.identify(request);
    if (identity === undefined) throw identityMissing();
    const { org, user, claims, key } = identity;
    const op: ReserveOp = { ...NOTHING, user, claims, ...(key === undefined ? {} : { key }) };
    const asked = decide(org, unknownGroups === 'deny' && claims !== '' ? { ...op, unknownGroups } : op);
    const { result } = await (key === undefined ? asked : asked.catch(hideOrg));
    if (result.status === 'denied') throw denial(result, identity);
    if (result.status !== 'admitted') throw new Error(`The ledger answered with ${result.status}`);
    return inTime(
      answer({ org, user: result.user ?? user, groups: result.groups }, request),
      ROUND_TRIPS * deadlineMs,
    );
  };
}

/** A reservation without charges: the ledger checks org, key, user and groups as for a request, and changes nothing. */
const NOTHING = { kind: 'reserve', charges: charges('', []), hold: '', ttlMs: 0 } as const;

/** A slow store must not keep the caller waiting. */
async function inTime(answer: Promise<Refusal>, ms: number): Promise<Refusal> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new StoreError(`No answer within ${ms} ms`, 'unknown')), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    if (error instanceof StoreError)
      throw new ProblemError('store-unavailable', `the store did not answer within ${ms} ms`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The caller as the ledger admits them. */
export interface Caller {
  readonly org: string;
  readonly user: string;
  /** Comma-separated. */
  readonly groups: string;
}

export type AnswerCaller = (caller: Caller, request: IncomingMessage) => Promise<Refusal>;

function answerTo({ ledger, quotas }: MeOptions): AnswerCaller {
  const definitions = new Map(Object.entries(quotas));
  return async ({ org, user, groups }) => {
    const userId = userIdOf(user);
    const listed = groups === '' ? [] : groups.split(',');
    const subjects = subjectsOf({ org, id: userId, key: user, groups: listed });
    const wants = appliedWants([...definitions.keys()], subjects);
    const view = await readOrg({ ledger, quotas: definitions }, org, wants);
    return jsonAnswer(figures(view, { labels: quotas, userId, subjects }));
  };
}

export function jsonAnswer(answer: unknown): Refusal {
  const body = Buffer.from(JSON.stringify(answer));
  const headers = [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
  ];
  return { status: 200, headers, body };
}

interface FiguresOptions {
  readonly labels: QuotaLabels;
  readonly userId: string;
  /** The user, the groups and the org, in this order. */
  readonly subjects: readonly Subject[];
}

function figures(view: OrgView, options: FiguresOptions) {
  const quotas: Record<string, ReturnType<typeof quotaFigures>> = {};
  for (const quota of view.pools.keys()) quotas[quota] = quotaFigures(view, quota, options);
  return {
    org: view.id,
    user: options.userId,
    cycle: { start: instant(view.cycle.start), end: instant(view.cycle.end) },
    resetsAt: instant(view.cycle.end),
    quotas,
  };
}

function quotaFigures(view: OrgView, quota: string, { labels, subjects }: FiguresOptions) {
  const { decimals, unit } = definitionIn(labels, quota);
  const own = figuresOf(view, lineOf(quota, 'user', subjects[0]?.key ?? ''));
  const limits = appliedLimits(view, quota, subjects).map(limitView);
  const hard = limits.filter((limit) => limit.mode === 'hard').map((limit) => limit.remaining);
  return {
    unit,
    consumed: formatUnits(own.consumed, decimals),
    held: formatUnits(own.held, decimals),
    /** The maximum cost of the next request; null if no hard limit applies. */
    remaining: hard.length === 0 ? null : Math.min(...hard),
    limits,
  };
}

function limitView({ shown, raise }: AppliedLimit) {
  if (raise === undefined) return shown;
  return { ...shown, raise: { units: raise.units, until: instant(raise.until) } };
}
