/** How far the export of an org's journal is. */
import { appendedAt } from '../../ledger/codec.js';
import { decodeExport, type NotedTarget } from '../../ledger/journal-export.js';
import { instant } from '../../ledger/view/limit-lines.js';
import type { Admin } from '../admin.js';

/** A target is sent what is two seconds old: after this long, something is wrong. */
const LAGGING_MS = 300_000;

/** Per target of the config that the org knows. Without targets in the config, the store is not asked. */
export async function exportsOf({ ledger, exportTargets }: Admin, org: string) {
  if (exportTargets.length === 0) return [];
  const work = await ledger.pendingWork(org);
  if (work === undefined) return [];
  return work.exports
    .filter(({ target }) => exportTargets.includes(target))
    .map((noted) => exportView(noted, work.now));
}

function exportView({ target, text, firstWaiting }: NotedTarget, now: number) {
  const { at, error, lost } = decodeExport(text);
  const lagMs = firstWaiting === '' ? 0 : Math.max(0, now - appendedAt(firstWaiting));
  // A target that lacks nothing is fine, whatever its last attempt was.
  const isFailing = firstWaiting !== '' && error !== '';
  const state = lagMs > LAGGING_MS ? ('lagging' as const) : ('ok' as const);
  return {
    target,
    state: isFailing ? ('failing' as const) : state,
    lagSeconds: Math.floor(lagMs / 1_000),
    lost,
    error: isFailing ? error : null,
    lastAttemptAt: instant(at),
  };
}
