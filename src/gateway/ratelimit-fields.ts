/**
 * The headers `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers, lists of RFC 9651) of allowed
 * and refused responses. They show the binding hard limit of each charged quota, and on a refusal the violated ones.
 * Shadow limits and soft pools are never shown.
 *
 * The draft has only integers, while amounts have decimals. `q` and `r` are therefore whole outer units, rounded down,
 * so that no caller is promised more than remains. A quota of 1.5 units with 0.7 left reads q=1, r=0.
 */
import { LRUCache } from 'lru-cache';
import type { Admitted, Bounds, Refused } from '../ledger/port.js';
import type { Scope } from '../quota/id.js';

/** How a quota is shown to callers. */
export interface QuotaLabel {
  readonly decimals: number;
  /** Unit label, such as `tokens`. */
  readonly unit: string;
}

export type QuotaLabels = Readonly<Record<string, QuotaLabel>>;

/** Returns the headers of one response as a flat array of names and values; empty if no hard limit applies. */
export type RateLimitFields = (result: Admitted | Refused, cycle: Bounds, now: number) => string[];

/** The name of a policy: a quota and the kind of subject that the limit belongs to. */
export function policyName(quota: string, scope: Scope): string {
  return `${quota}-${scope}`;
}

/** The largest integer of RFC 9651. */
const INTEGER_MAX = 999_999_999_999_999;

/** Limits differ by subject, but most caps are a few round numbers. */
const REMEMBERED_POLICIES = 1_024;

/** The constant parts of one policy, and its full texts by limit. */
interface Policy {
  /** Scaled units per outer unit. */
  readonly scale: number;
  readonly quoted: string;
  readonly unit: string;
  readonly texts: LRUCache<number, PolicyText>;
}

interface PolicyText {
  readonly windowMs: number;
  readonly text: string;
}

type Policies = ReadonlyMap<string, Readonly<Record<Scope, Policy>>>;

interface Line {
  readonly policy: Policy;
  limit: number;
  remaining: number;
}

export function rateLimitFields(quotas: QuotaLabels): RateLimitFields {
  const policies: Policies = new Map(
    Object.entries(quotas).map(([quota, label]) => {
      const of = (scope: Scope) => policyOf(quota, scope, label);
      return [quota, { user: of('user'), group: of('group'), org: of('org') }];
    }),
  );
  return (result, cycle, now) => {
    const lines = linesOf(policies, result);
    if (lines.length === 0) return [];
    const windowMs = cycle.end - cycle.start;
    // If units are only held, Retry-After gives seconds, and the draft forbids a later reset.
    const held = result.status === 'refused' && result.reason === 'held';
    const reset = held ? '' : `;t=${secondsUntil(cycle.end, now)}`;
    let policyField = '';
    let limitField = '';
    for (const { policy, limit, remaining } of lines) {
      const separator = policyField === '' ? '' : ', ';
      policyField += separator + policyText(policy, limit, windowMs);
      limitField += `${separator}${policy.quoted};r=${whole(remaining, policy.scale)}${reset}`;
    }
    return ['RateLimit-Policy', policyField, 'RateLimit', limitField];
  };
}

/** Whole seconds until then, rounded up, so that a caller who waits them is never too early. */
export function secondsUntil(then: number, now: number): number {
  return Math.max(0, Math.ceil((then - now) / 1000));
}

/** The limits to show, one per name: of several groups, the binding one. */
function linesOf(policies: Policies, result: Admitted | Refused): Line[] {
  const lines: Line[] = [];
  for (const { quota, scope, limit, remaining } of result.bindingLimits) {
    const policy = scope && policies.get(quota)?.[scope];
    if (policy !== undefined) add(lines, { policy, limit, remaining });
  }
  if (result.status !== 'refused') return lines;
  for (const { quota, scope, limit, consumed, held } of result.violated) {
    const policy = policies.get(quota)?.[scope];
    if (policy !== undefined) add(lines, { policy, limit, remaining: Math.max(0, limit - consumed - held) });
  }
  return lines;
}

function add(lines: Line[], added: Line): void {
  for (const line of lines) {
    if (line.policy !== added.policy) continue;
    if (added.remaining < line.remaining) {
      line.limit = added.limit;
      line.remaining = added.remaining;
    }
    return;
  }
  lines.push(added);
}

function policyOf(quota: string, scope: Scope, { decimals, unit }: QuotaLabel): Policy {
  return {
    scale: 10 ** decimals,
    quoted: `"${policyName(quota, scope)}"`,
    // A structured string holds printable ASCII only; a unit with other characters is replaced by the quota's id.
    unit: sfString(unit) ?? `"${quota}"`,
    texts: new LRUCache({ max: REMEMBERED_POLICIES }),
  };
}

/** Keyed by the limit only, so that a hit allocates no string. A text for another window is written again. */
function policyText(policy: Policy, limit: number, windowMs: number): string {
  const known = policy.texts.get(limit);
  if (known?.windowMs === windowMs) return known.text;
  const seconds = Math.round(windowMs / 1000);
  const text = `${policy.quoted};q=${whole(limit, policy.scale)};qu=${policy.unit};w=${seconds}`;
  policy.texts.set(limit, { windowMs, text });
  return text;
}

function whole(units: number, scale: number): number {
  return Math.min(INTEGER_MAX, Math.max(0, Math.floor(units / scale)));
}

const PRINTABLE = /^[\x20-\x7e]*$/;

/** Returns a string of RFC 9651; undefined if it cannot hold the text. */
export function sfString(text: string): string | undefined {
  return PRINTABLE.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : undefined;
}
