/** A gateway of one org that does by chance all that gateways do, wrongly and late too, and tallies what came of it. */
import type {
  AdjustOp,
  Bounds,
  Call,
  ChargeOp,
  Op,
  RefundOp,
  Reply,
  ReserveOp,
  Result,
} from '../../../src/ledger/port.js';
import { type ChargeItem, charges, UNITS_MAX } from '../../../src/quota/charge.js';
import { fixed, NONE } from '../../support/ledgers.js';
import { checkCaps, type State, stateOf } from './invariants.js';
import type { Pair } from './pair.js';
import type { Random, Tally } from './random.js';
import { tallyReply } from './totals.js';
import { CROWD, chargesBy, cycleAt, GROUPS, rangesBy, STRANGERS, USERS } from './world.js';

interface Producer {
  readonly name: string;
  seq: number;
}

const SENT_KEPT = 12;
const HOLDS_KEPT = 12;
const CYCLES_KEPT = 5;
const SHORT_MS = 9_000;

export class Gateway {
  /** Operations sent so far. */
  sent = 0;
  /** The time that the gateway takes the store's to be. */
  lastNow = 0;
  /** The org after the last call; undefined where others have been at it since. */
  state: State | undefined;
  private cycle: Bounds;
  private older: Bounds[] = [];
  private ruleVersion = 1;
  private epoch = '';
  private knownEpoch = '';
  private producers: Producer[] = [];
  private producersMade = 0;
  private calls: Call[] = [];
  private holds: ReserveOp[] = [];
  private holdsMade = 0;
  private plainCalls = 0;
  private admissions: RefundOp[] = [];

  constructor(
    private readonly random: Random,
    private readonly pair: Pair,
    private readonly tally: Tally,
    private readonly org: string,
    private readonly scale: number,
    clock: number,
  ) {
    this.cycle = cycleAt(clock);
  }

  /** One call, perhaps repeated, delivered late, or never. */
  async step(): Promise<void> {
    const { random } = this;
    if (this.calls.length > 0 && random.chance(0.06)) return this.deliverLate();
    const call = this.makeCall();
    if (call.producer !== '' && random.chance(0.06)) {
      // Silence: what may have run is asked for again with `none` in the place of what must no longer happen.
      const without = { ...call, ops: call.ops.map((op) => (random.chance(0.6) ? NONE : op)) };
      this.keep(call);
      await this.send(random.chance(0.5) ? call : without);
      return this.answered(call, await this.send(without));
    }
    let reply = await this.send(call);
    if (call.producer !== '' && random.chance(0.08)) await this.send(call);
    if (reply.code === 'cycle' && random.chance(0.9)) reply = await this.send(this.rebound(call));
    this.answered(call, reply);
  }

  /** A number on a producer stands for one call: where that one was given up, so is the producer. */
  private answered(call: Call, reply: Reply): void {
    if (reply.code !== 'ok')
      this.producers = this.producers.filter((producer) => producer.name !== call.producer);
  }

  private async deliverLate(): Promise<void> {
    const call = this.random.pick(this.calls);
    await this.send(call);
  }

  private async send(call: Call): Promise<Reply> {
    const { ledger } = this.pair.model;
    const before = this.state ?? (await stateOf(ledger, this.org));
    const reply = await this.pair.apply(call);
    this.sent += call.ops.length;
    const after = await stateOf(ledger, this.org);
    this.state = after;
    this.tally.hit('lines looked at for their caps', checkCaps(before, after, call.ops, reply));
    tallyReply(this.tally, before, after, call, reply);
    if (call.org === this.org) this.learn(call, reply, after);
    return reply;
  }

  private keep(call: Call): void {
    if (call.producer === '') return;
    this.calls.push(call);
    if (this.calls.length > SENT_KEPT) this.calls.shift();
  }

  private learn(call: Call, reply: Reply, after: State): void {
    this.keep(call);
    if (reply.code === 'ok') {
      const producer = this.producers.find((one) => one.name === call.producer);
      if (producer !== undefined) producer.seq = Math.max(producer.seq, call.seq);
    }
    if (reply.code !== 'ok' && reply.code !== 'cycle') return;
    this.ruleVersion = reply.ruleVersion;
    this.knownEpoch = reply.epoch;
    if (this.random.chance(0.5)) this.epoch = reply.epoch;
    const start = Number(after.org.start);
    if (start !== this.cycle.start) {
      this.older = [this.cycle, ...this.older].filter((one) => one.start < start).slice(0, CYCLES_KEPT);
      this.cycle = cycleAt(start);
    }
    if (reply.replayed) return;
    for (const [index, result] of reply.results.entries()) this.remember(call, index, result, reply);
  }

  private remember(call: Call, index: number, result: Result, reply: Reply): void {
    const op = call.ops[index];
    if (op?.kind !== 'reserve' || result.status !== 'admitted') return;
    if (op.hold !== '') {
      this.holds.push(op);
      if (this.holds.length > HOLDS_KEPT) this.holds.shift();
      return;
    }
    const { user, charges: charged } = op;
    // At times one that the org does not have.
    const seq = call.seq + (this.random.chance(0.1) ? 100 : 0);
    const name = call.producer === '' ? '' : `${call.producer}.${seq}`;
    const where = { groups: result.groups, cycle: reply.cycle.start, at: reply.now, call: name };
    this.admissions.push({ kind: 'refund', user, charges: charged, ...where });
  }

  /** The call again with the bounds that the org's answer lets one compute. */
  private rebound(call: Call): Call {
    const now = this.lastNow;
    const cycle = now < this.cycle.end ? [this.cycle] : [cycleAt(now), this.cycle];
    return { ...call, ruleVersion: this.ruleVersion, cycles: [...cycle, ...this.older] };
  }

  private makeCall(): Call {
    const { random } = this;
    // Calls of nothing but reservations of fixed costs come in bursts: the store has a path of its own for them.
    if (this.plainCalls > 0) this.plainCalls -= 1;
    else if (random.chance(0.2)) this.plainCalls = random.between(4, 14);
    const ops = Array.from({ length: random.between(1, 6) }, () =>
      this.plainCalls > 0 ? this.makePlainReserve() : this.makeOp(),
    );
    const producer = random.chance(0.7) ? this.pickProducer() : undefined;
    const present = this.lastNow < this.cycle.end ? [this.cycle] : [cycleAt(this.lastNow), this.cycle];
    const astray = random.chance(0.02) ? [cycleAt(this.cycle.start - 1)] : present;
    return {
      org: random.chance(0.07) ? 'nobody' : this.org,
      epoch: random.chance(0.015) ? 'e0' : this.plainCalls > 0 ? this.knownEpoch : this.epoch,
      producer: producer?.name ?? '',
      seq: producer === undefined ? 0 : producer.seq + (random.chance(0.05) ? 2 : 1),
      ruleVersion: random.chance(0.05) ? this.ruleVersion + 1 : this.ruleVersion,
      cycles: [...astray, ...random.some(this.older, 0.35)],
      unknownUsers: random.chance(0.8) ? 'register' : 'deny',
      expireMost: random.pick([0, 1, 8, 8]),
      ops,
    };
  }

  private pickProducer(): Producer {
    if (this.random.chance(0.04)) this.producers.pop();
    while (this.producers.length < 2) {
      this.producersMade += 1;
      // A producer that the org does not have: nothing but its first number runs there.
      this.producers.push({ name: `l${this.producersMade}`, seq: this.random.chance(0.3) ? 3 : 0 });
    }
    return this.random.pick(this.producers);
  }

  private makeOp(): Op {
    const { random } = this;
    switch (
      random.weighted({
        reserve: 58,
        settle: 14,
        release: 5,
        renew: 14,
        refund: 6,
        charge: 3,
        adjust: 3,
        none: 3,
      })
    ) {
      case 'settle': {
        const [hold, items] = this.pickHold();
        const units = items.map((item) => this.trueCost(item));
        const estimated = random.chance(0.2);
        const known = {
          model: 'large',
          raws: units.map((one, index) => (index === 0 ? 3 * one : undefined)),
        };
        return { kind: 'settle', hold, units, estimated, ...(hold.endsWith('3') ? known : {}) };
      }
      case 'release':
        return { kind: 'release', hold: this.pickHold()[0], keep: random.chance(0.5) };
      case 'renew': {
        const [hold, items] = this.pickHold();
        const more = items.map((item) =>
          item.kind === 'fixed' ? 0 : random.pick([0, 1, 4, 30]) * this.scale,
        );
        const units = items.map((item) => (item.kind === 'fixed' ? item.units : this.trueCost(item)));
        const quotas = items.map((item) => item.quota);
        return { kind: 'renew', hold, ttlMs: this.ttl(), quotas, units, more };
      }
      case 'refund':
        return this.admissions.splice(random.between(0, this.admissions.length), 1)[0] ?? NONE;
      case 'charge':
        return this.makeCharge();
      case 'adjust':
        return this.makeAdjustment();
      case 'none':
        return NONE;
      default:
        return this.makeReserve();
    }
  }

  private makeReserve(): ReserveOp {
    const { random } = this;
    if (this.holds.length > 0 && random.chance(0.05)) return random.pick(this.holds);
    const items = random.chance(0.13) ? rangesBy(random, this.scale) : chargesBy(random, this.scale);
    const user = random.chance(0.9) ? random.pick(USERS) : random.pick(STRANGERS);
    const keepsHold = items.some((item) => item.kind === 'held') || random.chance(0.1);
    if (keepsHold) this.holdsMade += 1;
    const voided = keepsHold && random.chance(0.03);
    const op: ReserveOp = {
      kind: 'reserve',
      user,
      claims: this.makeClaims(),
      ...(random.chance(0.1) ? { unknownGroups: 'deny' } : {}),
      charges: charges(random.pick(['maps', 'chat']), items, this.holdsMade % 3 === 0 ? 'small' : undefined),
      hold: keepsHold ? `h${this.holdsMade}` : '',
      ttlMs: this.ttl(),
    };
    // Known before it is sent: it may be released, settled or renewed before it arrives.
    if (voided) this.holds.push(op);
    return op;
  }

  private makePlainReserve(): ReserveOp {
    const { random } = this;
    // The pool of `lds` is soft or in shadow most of the time.
    const charged = random.chance(0.3) ? [fixed('lds', this.scale)] : chargesBy(random, this.scale);
    const items = charged.map((item): ChargeItem => ({ ...item, kind: 'fixed' }));
    return {
      kind: 'reserve',
      user: random.chance(0.97) ? random.pick(USERS) : random.pick(STRANGERS),
      claims: this.makeClaims(),
      ...(random.chance(0.1) ? { unknownGroups: 'deny' } : {}),
      charges: charges(random.pick(['maps', 'chat']), items),
      hold: '',
      ttlMs: 0,
    };
  }

  /** What was served without a decision, of late, long ago, or by a clock that is ahead. */
  private makeCharge(): ChargeOp {
    const { random } = this;
    const cost = {
      quota: random.pick(['usage', 'ai']),
      units: random.between(1, 9) * this.scale,
      kind: 'fixed',
    } as const;
    return {
      kind: 'charge',
      user: random.chance(0.9) ? random.pick(USERS) : random.pick(STRANGERS),
      claims: this.makeClaims(),
      charges: charges('maps', [cost]),
      at: this.lastNow - random.pick([0, 1, 500, 20_000, 60_000, -700]),
      estimated: random.chance(0.2),
    };
  }

  private makeAdjustment(): AdjustOp {
    const { random } = this;
    const stated = { action: 'adjustment', mark: String(this.sent), audit: '{"adjusted":true}' };
    return {
      kind: 'adjust',
      user: random.pick(USERS),
      quota: random.pick(['usage', 'ai']),
      units: random.pick([-1, -1, -2, -9, 1, 4]) * this.scale,
      ...(random.chance(0.3) ? { groups: random.some(GROUPS, 0.3).join(',') } : {}),
      ...stated,
    };
  }

  private makeClaims(): string {
    const { random } = this;
    if (random.chance(0.01)) return CROWD.join(',');
    return random.chance(0.3)
      ? [...random.some(GROUPS, 0.4), ...random.some(['g9', 'g0'], 0.3)].join(',')
      : '';
  }

  private ttl(): number {
    const { random } = this;
    return random.chance(0.35) ? random.between(20_000, 60_000) : random.between(500, SHORT_MS);
  }

  private pickHold(): readonly [id: string, items: ChargeItem[]] {
    const { random } = this;
    if (this.holds.length === 0 || random.chance(0.05)) return [`h${this.holdsMade + 1}`, []];
    const op = random.pick(this.holds);
    return [op.hold, op.charges.items.filter((item) => item.kind !== 'gate')];
  }

  /** What something cost in the end: often less than was held, sometimes more. */
  private trueCost(item: ChargeItem): number {
    const { random, scale } = this;
    if (item.kind === 'fixed') return item.units;
    const more = random.chance(0.5) ? random.between(1, 40) * scale : 0;
    return random.chance(0.5)
      ? Math.min(item.units + more, UNITS_MAX)
      : Math.floor(item.units * random.next());
  }
}
