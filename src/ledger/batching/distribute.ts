/** Hands the results of a call to those who wait for them, and returns what nobody waits for any more. */
import type { Op, Reply, Result } from '../port.js';
import type { OrgAlarms } from './alarms.js';
import type { Sent } from './batch.js';
import type { PendingOperation } from './pending-operation.js';

export interface Receivers {
  readonly alarms: OrgAlarms;
  /** Sends what undoes an admission of this cycle. */
  readonly giveBack: (op: Op, cycle: number) => void;
}

export function distribute({ producer, batch }: Sent, reply: Reply, { alarms, giveBack }: Receivers): void {
  const call = `${producer.id}.${producer.seq}`;
  for (const [index, pending] of batch.operations.entries()) {
    const result = reply.results[index];
    if (result === undefined) continue;
    if (pending.over) {
      const back = undoOf(pending, result, reply, call);
      if (back !== undefined) giveBack(back, reply.cycle.start);
    } else {
      pending.over = true;
      alarms.noteResult(pending.op, result);
      pending.resolve({ result, now: reply.now, cycle: reply.cycle, call, index });
    }
  }
}

/** The request was admitted after its caller had got `store-unavailable`: nothing was served for it. */
function undoOf({ op }: PendingOperation, result: Result, reply: Reply, call: string): Op | undefined {
  if (op.kind !== 'reserve' || result.status !== 'admitted' || op.charges.items.length === 0)
    return undefined;
  const { charges, hold } = op;
  if (hold !== '') return { kind: 'release', hold, keep: false };
  const user = result.user ?? op.user;
  const { start: cycle } = reply.cycle;
  return { kind: 'refund', user, groups: result.groups, charges, cycle, at: reply.now, call };
}
