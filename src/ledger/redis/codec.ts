/** Arguments and replies of apply.lua, whose header defines their places. */
import type { ChargeItem } from '../../quota/charge.js';
import { encodeCharges, rawsText } from '../codec.js';
import type {
  Adjusted,
  AdjustOp,
  BindingLimit,
  Bounds,
  Call,
  Op,
  Overshoot,
  Reply,
  ReserveOp,
  Result,
  SettleOp,
  Violation,
} from '../port.js';
import {
  CODE,
  COMMON,
  DENIED,
  DONE,
  MARK,
  namesByNumber,
  OPERATION,
  OUTCOME,
  RESULT,
  SCOPE,
} from './wire.js';

/** What stays the same from call to call of an org in a cycle. */
export type CallTerms = Pick<Call, 'epoch' | 'ruleVersion' | 'cycles' | 'unknownUsers' | 'expireMost'>;

/** The first arguments: what a call expects of the org, then what it asks of the full path. */
export function constantArgs(terms: CallTerms): string[] {
  const { epoch, ruleVersion, cycles, unknownUsers, expireMost } = terms;
  const [first, ...others] = cycles;
  const bounds = others.map(({ start, end }) => `|${start}|${end}`).join('');
  return [
    `${epoch}|${first?.start ?? ''}|${first?.end ?? ''}|${ruleVersion}`,
    `${unknownUsers}|${expireMost}${bounds}`,
  ];
}

/** The other arguments. `latest`: the latest time that the store's clock can show; 0 if unknown. */
export function callArgs({ producer, seq, ops }: Call, latest: number): (string | number)[] {
  const args: (string | number)[] = [producer, seq, latest];
  if (ops.every(isPlain)) pushPlain(args, ops);
  else for (const op of ops) pushOp(args, op);
  return args;
}

function isPlain(op: Op): op is ReserveOp {
  return op.kind === 'reserve' && op.hold === '';
}

/** Reservations without a hold are short: charges that are those of the reservation before are not repeated. */
function pushPlain(args: (string | number)[], ops: readonly ReserveOp[]): void {
  let last = '';
  for (const op of ops) {
    const charges = encodeCharges(op.charges);
    if (charges !== last) args.push(`${MARK.charges}${charges}`);
    last = charges;
    const claims = claimsOf(op);
    args.push(claims === '' ? userOf(op) : `${userOf(op)}${MARK.claims}${claims}`);
  }
}

function userOf({ user, key }: ReserveOp): string {
  return key === undefined ? user : `${MARK.key}${key}`;
}

function claimsOf({ claims, unknownGroups }: ReserveOp): string {
  return unknownGroups === 'deny' ? `${MARK.mustBeKnown}${claims}` : claims;
}

function pushOp(args: (string | number)[], op: Op): void {
  switch (op.kind) {
    case 'reserve':
      args.push(OPERATION.reserve, userOf(op), claimsOf(op), encodeCharges(op.charges), op.hold, op.ttlMs);
      return;
    case 'settle':
      args.push(OPERATION.settle, op.hold, op.units.join(','), estimateMark(op), settledDetail(op));
      return;
    case 'release':
      args.push(OPERATION.release, op.hold, op.keep ? MARK.tombstone : '', op.audit ?? '');
      return;
    case 'renew':
      args.push(OPERATION.renew, op.hold, op.ttlMs, op.units.join(','), op.more.join(','));
      return;
    case 'refund':
      args.push(
        OPERATION.refund,
        op.user,
        op.groups,
        encodeCharges(op.charges),
        op.cycle,
        op.at,
        op.call,
        op.key ?? '',
      );
      return;
    case 'charge':
      args.push(
        OPERATION.charge,
        op.user,
        op.claims,
        encodeCharges(op.charges),
        op.at,
        estimateMark(op),
        op.key ?? '',
        rawsText(op.raws),
      );
      return;
    case 'refusals':
      args.push(OPERATION.refusals, op.lines);
      return;
    case 'adjust':
      pushAdjust(args, op);
      return;
    case 'none':
      args.push(OPERATION.none);
  }
}

function pushAdjust(args: (string | number)[], op: AdjustOp): void {
  const charges = `${op.action};${op.quota}=${Math.abs(op.units)}`;
  const sign = op.units < 0 ? '-' : '+';
  args.push(OPERATION.adjust, op.user, '', charges, sign, op.groups ?? MARK.ownGroups, op.mark, op.audit);
}

function estimateMark({ estimated }: { readonly estimated: boolean }): string {
  return estimated ? MARK.estimated : '';
}

function settledDetail({ model, raws }: SettleOp): string {
  return model === undefined ? '' : `${model}|${rawsText(raws)}`;
}

/** Strings are buffers: what is never read is not decoded. */
type RawValue = number | string | Buffer;
type Raw = readonly (RawValue | RawResult)[];

const CODES = namesByNumber(CODE);
const HEAD_LENGTH = 15;

/** Throws a TypeError if the reply does not have apply.lua's form. */
export function decodeReply(raw: unknown, call: Call): Reply {
  if (Buffer.isBuffer(raw) || typeof raw === 'string') return decodeCommon(String(raw), call);
  if (!Array.isArray(raw) || raw.length < HEAD_LENGTH) throw new TypeError('apply.lua: unexpected reply');
  const reply = raw as Raw;
  const number = (index: number): number => Number(reply[index]);
  const code = CODES[number(0)];
  if (code === undefined) throw new TypeError(`apply.lua: unknown code ${String(reply[0])}`);
  return {
    code,
    now: number(1),
    cycle: { start: number(2), end: number(3) },
    previous: number(4),
    rule: String(reply[5]),
    ruleVersion: number(6),
    epoch: String(reply[7]),
    lines: number(8),
    expired: number(9),
    dueIn: number(10),
    replayed: reply[11] === 1,
    clipped: number(12),
    clock: number(13),
    overshoots: decodeOvershoots(String(reply[14])),
    common: false,
    ...(code === 'producer-behind' ? { lastCall: number(8), lines: 0 } : {}),
    results: reply
      .slice(HEAD_LENGTH)
      .map((result, index) => decodeResult(result as RawResult, call.ops[index])),
  };
}

/**
 * The common path answers only calls that name the org's epoch, rule and present cycle. A call that is repeated may name others than
 * those in which it ran: its answer has them, unless an earlier version recorded it.
 */
function decodeCommon(reply: string, { epoch, cycles, ruleVersion, ops }: Call): Reply {
  const [head = '', ...answers] = reply.split('\n');
  const [mark, now, clock, lines, start, end, rule] = head.split('|');
  if (mark !== COMMON.first && mark !== COMMON.replayed)
    throw new TypeError(`apply.lua: unknown code ${mark}`);
  return {
    code: 'ok',
    now: Number(now),
    cycle: rule === undefined ? (cycles[0] ?? NO_CYCLE) : { start: Number(start), end: Number(end) },
    previous: 0,
    rule: '',
    ruleVersion: rule === undefined ? ruleVersion : Number(rule),
    epoch,
    lines: Number(lines),
    expired: 0,
    dueIn: 0,
    replayed: mark === COMMON.replayed,
    clipped: 0,
    clock: Number(clock),
    overshoots: NO_OVERSHOOT,
    common: true,
    results: answers.map((answer, index) => decodeAnswer(answer.split('|'), ops[index])),
  };
}

function decodeAnswer(parts: readonly string[], op: Op | undefined): Result {
  const kind = Number(parts[0]);
  if (kind === RESULT.admitted || kind === RESULT.spent || kind === RESULT.held)
    return decodeDecision(kind, parts, itemsOf(op));
  throw new TypeError(`apply.lua: unknown result ${parts.join(' ')}`);
}

const NO_CYCLE: Bounds = { start: 0, end: 0 };

/** `<quota>=<units>`, comma-separated. */
function decodeOvershoots(text: string): readonly Overshoot[] {
  if (text === '') return NO_OVERSHOOT;
  return text.split(',').map((entry) => {
    const [quota = '', units] = entry.split('=');
    return { quota, units: Number(units) };
  });
}

const NO_OVERSHOOT: readonly Overshoot[] = [];

type RawResult = readonly RawValue[];

const DENIED_REASONS = namesByNumber(DENIED);
const DONE_STATUSES = namesByNumber(DONE);

function decodeResult(raw: RawResult, op: Op | undefined): Result {
  const kind = raw[0];
  if (kind === RESULT.admitted || kind === RESULT.spent || kind === RESULT.held)
    return decodeDecision(kind, raw, itemsOf(op));
  if (kind === RESULT.denied) {
    const reason = DENIED_REASONS[Number(raw[1])];
    if (reason === 'unknown-group') return { status: 'denied', reason, groups: String(raw[2]) };
    if (reason !== undefined) return { status: 'denied', reason };
  }
  if (kind === RESULT.settled)
    return { status: 'settled', late: raw[1] === 1, overshoot: raw.slice(2).map(Number) };
  if (kind === RESULT.adjusted) return decodeAdjusted(raw);
  const status = DONE_STATUSES[Number(raw[1])];
  if (kind === RESULT.done && status !== undefined) return { status };
  throw new TypeError(`apply.lua: unknown result ${raw.join(' ')}`);
}

const OUTCOMES = namesByNumber(OUTCOME);

function decodeAdjusted(raw: RawResult): Adjusted {
  const outcome = OUTCOMES[Number(raw[2])];
  if (outcome === undefined) throw new TypeError(`apply.lua: unknown outcome ${String(raw[2])}`);
  const scope = SCOPES[Number(raw[4])];
  return {
    status: 'adjusted',
    outcome,
    ...(scope === undefined ? {} : { at: { scope, group: String(raw[5]) } }),
    mark: String(raw[1]),
    groups: String(raw[3]),
    consumed: Number(raw[6]),
    orgConsumed: Number(raw[7]),
  };
}

/**
 * The items that the indexes of a decision refer to: all items of a reservation, or those of a renewal that ask for
 * more.
 */
function itemsOf(op: Op | undefined): readonly Pick<ChargeItem, 'quota'>[] {
  if (op?.kind === 'reserve') return op.charges.items;
  if (op?.kind !== 'renew') return [];
  return op.quotas.map((quota) => ({ quota })).filter((_, index) => (op.more[index] ?? 0) > 0);
}

const SCOPES = namesByNumber(SCOPE);
const VIOLATION_LENGTH = 7;
const BINDING_LENGTH = 3;

function decodeDecision(
  kind: typeof RESULT.admitted | typeof RESULT.spent | typeof RESULT.held,
  raw: RawResult,
  items: readonly Pick<ChargeItem, 'quota'>[],
): Result {
  // A repetition that replaced the operation by `none` does not know its items.
  const count = items.length === 0 ? 0 : Number(raw[3]);
  const violated: Violation[] = [];
  let at = 4;
  for (let index = 0; index < count; index += 1, at += VIOLATION_LENGTH)
    violated.push(violationAt(raw, at, items));
  const bindingLimits: BindingLimit[] = [];
  for (const { quota } of items) {
    const scope = SCOPES[Number(raw[at])];
    bindingLimits.push({ quota, scope, limit: Number(raw[at + 1]), remaining: Number(raw[at + 2]) });
    at += BINDING_LENGTH;
  }
  const common = { ...namedGroups(String(raw[1])), violated, bindingLimits };
  if (kind === RESULT.admitted) {
    const admitted = { status: 'admitted', duplicate: raw[2] === 1, ...common } as const;
    const hasGranted = items.length > 0 && raw.length > at;
    return hasGranted ? { ...admitted, granted: raw.slice(at).map(Number) } : admitted;
  }
  const primary = Math.max(0, Number(raw[2]) - 1);
  return { status: 'refused', reason: kind === RESULT.spent ? 'spent' : 'held', primary, ...common };
}

/** `<groups>`, or `<user>;<groups>` if an API key identified the user. */
function namedGroups(text: string): { user?: string; groups: string } {
  const end = text.indexOf(';');
  return end < 0 ? { groups: text } : { user: text.slice(0, end), groups: text.slice(end + 1) };
}

function violationAt(raw: RawResult, at: number, items: readonly Pick<ChargeItem, 'quota'>[]): Violation {
  const item = items[Number(raw[at]) - 1];
  return {
    quota: item?.quota ?? '',
    scope: SCOPES[Number(raw[at + 1])] ?? 'org',
    group: String(raw[at + 2]),
    limit: Number(raw[at + 3]),
    consumed: Number(raw[at + 4]),
    held: Number(raw[at + 5]),
    requested: Number(raw[at + 6]),
  };
}
