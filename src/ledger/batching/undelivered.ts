/** What a process that stops could not deliver, in a form that another one can: calls keep producer and number, so that they happen once. */
import type { Op } from '../port.js';
import { type Batch, newProducer, replacementOf, type Sent } from './batch.js';
import type { PendingOperation } from './pending-operation.js';

export interface UndeliveredOp {
  /** `none` where nothing is owed any more. */
  readonly op: Op;
  readonly cycle: number;
  /** A decision that nobody waits for: it must not happen, and what it took returns if it has. */
  readonly void: boolean;
}

export interface UndeliveredCall {
  readonly org: string;
  /** Of the org that it was made for, '' where that was not known. */
  readonly epoch: string;
  readonly producer: string;
  readonly seq: number;
  /** It was sent and got no answer: it may have run. */
  readonly inDoubt: boolean;
  readonly ops: readonly UndeliveredOp[];
}

type OrgData = Pick<UndeliveredCall, 'org' | 'epoch'>;

const NONE: Op = { kind: 'none' };
const OPS_A_CALL = 25;

/** A call that was sent; undefined where nothing is left to be done about it. */
export function callOf(data: OrgData, { producer, batch }: Sent): UndeliveredCall | undefined {
  const inDoubt = batch.inDoubt || batch.outstanding;
  const ops = batch.operations.map((pending) => undeliveredOp(pending, inDoubt));
  if (ops.every(({ op }) => op.kind === 'none')) return undefined;
  return { ...data, producer: producer.id, seq: producer.seq + 1, inDoubt, ops };
}

/** Operations that were never sent get calls with producers of their own. */
export function callsOf(
  data: OrgData,
  operations: readonly Pick<PendingOperation, 'op' | 'cycle'>[],
): UndeliveredCall[] {
  const owed = operations.filter(({ op }) => isOwed(op)).map(({ op, cycle }) => ({ op, cycle, void: false }));
  const calls: UndeliveredCall[] = [];
  for (let at = 0; at < owed.length; at += OPS_A_CALL) {
    const ops = owed.slice(at, at + OPS_A_CALL);
    calls.push({ ...data, producer: newProducer().id, seq: 1, inDoubt: false, ops });
  }
  return calls;
}

/** Renewals end with the process whose requests they were for. */
function isOwed({ kind }: Op): boolean {
  return kind !== 'reserve' && kind !== 'renew' && kind !== 'none';
}

/** Places are kept: the first answer of the call goes by them. */
function undeliveredOp({ op, cycle, owed, over }: PendingOperation, inDoubt: boolean): UndeliveredOp {
  if (owed && !over && isOwed(op)) return { op, cycle, void: false };
  if (op.kind !== 'reserve' || !inDoubt) return { op: NONE, cycle: 0, void: true };
  const { key: _, ...rest } = op;
  return { op: rest, cycle: 0, void: true };
}

interface Resumption extends Pick<Batch, 'generation'> {
  /** Of the org that there is now. */
  readonly epoch: string;
  /** If it has run before, the store may not know that any more. */
  readonly isForgotten: boolean;
  /** Called when nothing is left to be done about the call. */
  readonly done: () => void;
}

/** The call as it is to be sent again. */
export function sentOf(call: UndeliveredCall, { epoch, generation, isForgotten, done }: Resumption): Sent {
  // It may have been idle for long: that the store has forgotten it is no news.
  const earlier = { id: call.producer, seq: call.seq - 1, usedAt: Number.NEGATIVE_INFINITY };
  // An org that began anew has nothing to give back for what the one before it admitted.
  const isForeign = call.epoch !== '' && call.epoch !== epoch;
  const ops = isForeign ? call.ops.filter(({ op }) => op.kind === 'charge') : call.ops;
  const inDoubt = isForgotten || (call.inDoubt && !isForeign);
  return {
    producer: isForeign ? replacementOf(earlier) : earlier,
    batch: { ...batchOf(ops), inDoubt, generation, done },
  };
}

function batchOf(ops: readonly UndeliveredOp[]): Omit<Batch, 'inDoubt' | 'generation' | 'done'> {
  const operations = ops.map(
    ({ op, cycle, void: over }): PendingOperation => ({
      op,
      cycle,
      owed: !over,
      over,
      resolve: () => undefined,
      reject: () => undefined,
    }),
  );
  return { operations, retries: 0, cycleTries: 0, counted: false, outstanding: false };
}
