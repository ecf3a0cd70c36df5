/** Expires the due holds of an org without requests, and closes its cycle when it is over. */
import { cyclesNow, withClosed } from '../ledger/call-cycles.js';
import type { Bounds, Call, Ledger, Overshoot, Reply } from '../ledger/port.js';

const EXPIRE_MOST = 64;
/** The bounds may change between reading and using them; more attempts than this are an error. */
const CYCLE_TRIES_MAX = 5;

/** What expired, as replies of the ledger report it. */
export type Expired = Pick<Reply, 'expired' | 'overshoots'>;

/** An empty call rolls a cycle that is over, and expires due holds of any cycle. */
export async function sweepOrg(ledger: Ledger, org: string): Promise<Expired> {
  let cycles: readonly Bounds[] = [];
  let ruleVersion = 0;
  let expired = 0;
  const overshoots: Overshoot[] = [];
  let cycleTries = 0;
  for (;;) {
    const reply = await ledger.apply(emptyCall(org, cycles, ruleVersion));
    if (reply.code === 'cycle') {
      cycleTries += 1;
      if (cycleTries > CYCLE_TRIES_MAX)
        throw new Error(`The cycle of ${org} changed too often during maintenance`);
      cycles = cyclesNow(reply);
      ruleVersion = reply.ruleVersion;
      continue;
    }
    if (reply.code !== 'ok') return { expired, overshoots };
    expired += reply.expired;
    overshoots.push(...reply.overshoots);
    if (reply.dueIn !== 0) cycles = withClosed(cycles, reply.dueIn);
    else if (reply.expired < EXPIRE_MOST) return { expired, overshoots };
  }
}

function emptyCall(org: string, cycles: readonly Bounds[], ruleVersion: number): Call {
  const once = { org, epoch: '', producer: '', seq: 0 };
  return { ...once, ruleVersion, cycles, unknownUsers: 'deny', expireMost: EXPIRE_MOST, ops: [] };
}
