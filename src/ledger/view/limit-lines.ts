/** Reads counter lines and limits from a view: figures, and caps of the present pool and time. */
import { lineOf, type Scope } from '../../quota/id.js';
import { capOf, type Limit } from '../../quota/limit.js';
import type { QuotaDefinition } from '../../quota/units.js';
import { decodeLimit } from '../codec.js';
import { numberIn, type OrgView, type Tables, textIn } from './org-view.js';

export interface LimitLine {
  readonly quota: string;
  readonly scope: Scope;
  /** User key or group id; '' for the org. */
  readonly subject: string;
  readonly field: string;
}

const LINE = /^([A-Za-z0-9._-]+):(?:(o)|(u|g):([^:]+))$/;

export function parseLine(field: string): LimitLine | undefined {
  const [, quota, org, letter, subject = ''] = LINE.exec(field) ?? [];
  if (quota === undefined) return undefined;
  const scope = org === 'o' ? 'org' : letter === 'u' ? 'user' : 'group';
  return { quota, scope, subject, field };
}

export function lineTo(quota: string, scope: Scope, subject: string): LimitLine {
  return { quota, scope, subject, field: lineOf(quota, scope, subject) };
}

/** Formats amounts of a quota. Throws for a quota that the config does not have. */
export function quotaOf({ quotas }: Pick<OrgView, 'quotas'>, quota: string): QuotaDefinition {
  const definition = quotas.get(quota);
  if (definition === undefined) throw new Error(`quota "${quota}" not found`);
  return definition;
}

/** Integers in internal units. */
export interface Figures {
  readonly consumed: number;
  readonly held: number;
}

export function figuresOf({ tables, cycle: { start } }: OrgView, field: string): Figures {
  const consumed = numberIn(tables, `consumed:${start}`, field);
  return { consumed, held: numberIn(tables, `held:${start}`, field) };
}

export type LimitStatus = 'ok' | 'warning' | 'blocked';

const WARNING_PERCENT = 80;

export interface Standing extends Figures {
  readonly cap: number;
  readonly remaining: number;
  readonly status: LimitStatus;
}

/** Whether a capped line is exceeded. A shadow limit never blocks. */
export function standingOf(cap: number, { consumed, held }: Figures, shadow: boolean): Standing {
  const remaining = Math.max(0, cap - consumed - held);
  const warning = remaining === 0 || consumed * 100 >= cap * WARNING_PERCENT;
  const status = remaining === 0 && !shadow ? 'blocked' : warning ? 'warning' : 'ok';
  return { cap, consumed, held, remaining, status };
}

export function capNow(view: Pick<OrgView, 'pools' | 'now'>, quota: string, limit: Limit): number {
  return capOf(limit, view.pools.get(quota)?.units ?? 0, view.now);
}

export function limitStanding(view: OrgView, line: LimitLine, limit: Limit): Standing {
  return standingOf(capNow(view, line.quota, limit), figuresOf(view, line.field), limit.shadow);
}

export function limitIn(tables: Tables, field: string): Limit | undefined {
  const text = textIn(tables, 'limits', field);
  return text === undefined ? undefined : decodeLimit(text);
}

export function instant(ms: number): string {
  return new Date(ms).toISOString();
}
