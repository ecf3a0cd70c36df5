/**
 * Accepts the present time of the store's clock on behalf of an operator. Gateways that refuse the clock accept it from
 * then on. Orgs whose time is ahead of it, because a wrong time was once accepted, are set back to it. A cycle that
 * ended early because of the wrong time stays closed: units consumed until its planned end count in the next cycle.
 */
import type { Ledger } from '../ledger/port.js';
import { acceptClockTime } from '../ledger/store-meta.js';
import { set } from './orgs/definition.js';
import { auditText } from './writes/change.js';

export interface ClockAccepted {
  readonly clock: number;
  /** Orgs whose time was ahead, with that time. */
  readonly setBack: readonly { readonly org: string; readonly from: number }[];
}

/** Requests may change the org at the same time. */
const TRIES_MAX = 8;

export async function acceptClock(ledger: Ledger, reason: string): Promise<ClockAccepted> {
  const clock = await ledger.clock();
  const who = { who: 'operator', reason };
  const accepted = { action: 'store.accept-clock', subject: 'store', from: null, to: clock };
  await acceptClockTime(ledger, clock, auditText(clock, who, accepted));
  const setBack: { org: string; from: number }[] = [];
  for (const org of await ledger.orgs()) {
    const from = await setTimeBack(ledger, org, who);
    if (from !== undefined) setBack.push({ org, from });
  }
  return { clock, setBack: setBack.sort((a, b) => (a.org < b.org ? -1 : 1)) };
}

/** Returns the former time of the org; undefined if it is not ahead. */
async function setTimeBack(
  ledger: Ledger,
  org: string,
  who: { who: string; reason: string },
): Promise<number | undefined> {
  for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
    const { version, values } = await ledger.read(org, [{ table: 'org', fields: ['now'] }]);
    const from = Number(values[0]?.[0] ?? 0);
    const to = await ledger.clock();
    if (from <= to) return undefined;
    const auditEvent = { action: 'org.accept-clock', subject: 'org', from, to };
    const changes = [set('now', String(to))];
    const audit = auditText(to, who, auditEvent);
    if ((await ledger.commit(org, { version, changes, audit })) !== undefined) return from;
  }
  throw new Error(`${org}: too many concurrent changes, try again`);
}
