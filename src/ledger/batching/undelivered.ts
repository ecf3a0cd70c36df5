/**
 * What a stopping process could not deliver, in a form that another process can send: calls keep producer and number,
 * so they happen once.
 */
import type { Op } from '../port.js';
import { type Batch, newProducer, replacementOf, type Sent } from './batch.js';
import type { PendingOperation } from './pending-operation.js';

export interface UndeliveredOp {
  /** `none` if nothing needs to be done any more. */
  readonly op: Op;
  readonly cycle: number;
  /** A decision that nobody waits for: it must not happen, and its charges are returned if it did. */
  readonly void: boolean;
}

export interface UndeliveredCall {
  readonly org: string;
  /** The epoch that the call was made for; '' if unknown. */
  readonly epoch: string;
  readonly producer: string;
  readonly seq: number;
  /** The call was sent and got no answer: it may have run. */
  readonly inDoubt: boolean;
  readonly ops: readonly UndeliveredOp[];
}

type OrgData = Pick<UndeliveredCall, 'org' | 'epoch'>;

const NONE: Op = { kind: 'none' };
const OPS_A_CALL = 25;

/** Converts a call that was sent; undefined if nothing is left to do. */
export function callOf(data: OrgData, { producer, batch }: Sent): UndeliveredCall | undefined {
  const inDoubt = batch.inDoubt || batch.outstanding;
  const ops = batch.operations.map((pending) => undeliveredOp(pending, inDoubt));
  if (ops.every(({ op }) => op.kind === 'none')) return undefined;
  return { ...data, producer: producer.id, seq: producer.seq + 1, inDoubt, ops };
}

/** Operations that were never sent get calls with their own producers. */
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

/** Renewals end with the process of their requests. */
function isOwed({ kind }: Op): boolean {
  return kind !== 'reserve' && kind !== 'renew' && kind !== 'none';
}

/** Operations keep their index, because the first answer of the call refers to it. */
function undeliveredOp({ op, cycle, owed, over }: PendingOperation, inDoubt: boolean): UndeliveredOp {
  if (owed && !over && isOwed(op)) return { op, cycle, void: false };
  if (op.kind !== 'reserve' || !inDoubt) return { op: NONE, cycle: 0, void: true };
  const { key: _, ...rest } = op;
  return { op: rest, cycle: 0, void: true };
}

interface Resumption extends Pick<Batch, 'generation'> {
  /** The epoch of the present org. */
  readonly epoch: string;
  /** The store may have forgotten whether the call has run. */
  readonly isForgotten: boolean;
  /** Called when nothing is left to do. */
  readonly done: () => void;
}

/** Returns the call in the form in which it is sent again. */
export function sentOf(call: UndeliveredCall, { epoch, generation, isForgotten, done }: Resumption): Sent {
  // The producer may have been idle for long, so it is normal if the store has forgotten it.
  const earlier = { id: call.producer, seq: call.seq - 1, usedAt: Number.NEGATIVE_INFINITY };
  // An org that was created again owes nothing for admissions of its predecessor.
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
