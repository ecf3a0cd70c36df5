/**
 * A call of apply.lua as the text that goes to Redis (RESP2). What does not change between the calls of an org in a cycle, the
 * digest, the keys and the first arguments, is put together once.
 */
import type { Call } from '../port.js';
import { type CallTerms, callArgs, constantArgs } from './codec.js';
import type { Keys } from './keys.js';
import type { Script } from './scripts.js';

interface OrgHead {
  readonly terms: CallTerms;
  /** Number of keys, the keys and the constant arguments. */
  readonly text: string;
  /** How many arguments that is. */
  readonly count: number;
}

const HEADS_MAX = 10_000;

export class CallText {
  private readonly heads = new Map<string, OrgHead>();
  private readonly bySha: string;
  private readonly bySource: string;

  constructor(
    script: Script,
    private readonly keys: Keys,
  ) {
    this.bySha = bulk('evalsha') + bulk(script.sha);
    this.bySource = bulk('eval') + bulk(script.source);
  }

  /** `withSource`: for a Redis that does not have the script. */
  of(call: Call, latest: number, withSource: boolean): string {
    const head = this.headOf(call);
    const args = callArgs(call, latest);
    let text = `*${2 + head.count + args.length}\r\n${withSource ? this.bySource : this.bySha}${head.text}`;
    for (let index = 0; index < args.length; index += 1) text += bulk(args[index] ?? '');
    return text;
  }

  private headOf(call: Call): OrgHead {
    const known = this.heads.get(call.org);
    if (known !== undefined && areSameTerms(known.terms, call)) return known;
    const keys = this.keys.ofCall(call);
    const { epoch, ruleVersion, cycles, unknownUsers, expireMost } = call;
    const terms = { epoch, ruleVersion, cycles, unknownUsers, expireMost };
    const parts = [keys.length, ...keys, ...constantArgs(terms)];
    const head = { terms, text: parts.map(bulk).join(''), count: parts.length };
    if (this.heads.size >= HEADS_MAX) this.heads.clear();
    this.heads.set(call.org, head);
    return head;
  }
}

/** Callers keep the list of cycles of an org until it changes. */
function areSameTerms(one: CallTerms, other: CallTerms): boolean {
  return (
    one.cycles === other.cycles &&
    one.epoch === other.epoch &&
    one.ruleVersion === other.ruleVersion &&
    one.unknownUsers === other.unknownUsers &&
    one.expireMost === other.expireMost
  );
}

function bulk(value: string | number): string {
  if (typeof value === 'string') return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  const text = String(value);
  return `$${text.length}\r\n${text}\r\n`;
}
