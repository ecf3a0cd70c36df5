/** Compares a new config with the running one: which settings take effect, and which need a restart. */
import { isDeepStrictEqual } from 'node:util';
import type { Config, StoreConfig } from '../config/schema.js';

export interface Change {
  /** The config that is active from now on. */
  readonly config: Config;
  /** Settings that differ and stay unchanged, by path. */
  readonly waiting: readonly string[];
}

/** Listeners, the connection to the store, and the scale of its amounts are fixed at start. */
const FIXED = [
  'server',
  'store',
  'spool',
  'admin',
  'smtp',
  'webhooks',
  'retention',
  'journal',
  'quotaPath',
] as const;

export function changeOf(running: Config, next: Config): Change {
  const { server, spool, admin, smtp, webhooks, retention, journal, quotaPath } = running;
  const store = storeAfter(running.store, next.store);
  const optional = { ...(spool === undefined ? {} : { spool }), ...(smtp === undefined ? {} : { smtp }) };
  const fixed = { server, store, admin, webhooks, retention, journal, quotaPath, ...optional };
  const waiting = FIXED.flatMap((key) => differences(fixed[key], next[key], key));
  const quotas: Config['quotas'] = {};
  for (const [name, quota] of Object.entries(running.quotas)) {
    const wanted = next.quotas[name];
    quotas[name] = { ...quota, counts: wanted?.counts ?? quota.counts };
    waiting.push(...differences(quotas[name], wanted, `quotas.${name}`));
  }
  for (const name of Object.keys(next.quotas)) if (!(name in quotas)) waiting.push(`quotas.${name}`);
  return { config: { ...next, ...fixed, quotas }, waiting };
}

/** What routes do without the store is no part of the connection: an operator changes it during an outage, when a restart would lose charges. */
function storeAfter(running: StoreConfig, next: StoreConfig): StoreConfig {
  return 'embedded' in running || 'embedded' in next ? running : { ...running, whenDown: next.whenDown };
}

/** The settings that differ: names only, because a value may be a secret. */
function differences(one: unknown, other: unknown, path: string): string[] {
  if (!isMap(one) || !isMap(other)) return isDeepStrictEqual(one, other) ? [] : [path];
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => differences(one[key], other[key], `${path}.${key}`));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
