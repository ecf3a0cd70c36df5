/**
 * A call of apply.lua as the text that goes to Redis (RESP2). What does not change between the calls of an org in a cycle, the
 * digest and the keys, is put together once.
 */
import type { Bounds, Call } from '../port.js';
import { callArgs } from './codec.js';
import type { Keys } from './keys.js';
import type { Script } from './scripts.js';

interface OrgHead {
  readonly cycles: readonly Bounds[];
  /** Number of keys, and the keys. */
  readonly keys: string;
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
    const { keys, count } = this.headOf(call);
    const args = callArgs(call, latest);
    let text = `*${2 + count + args.length}\r\n${withSource ? this.bySource : this.bySha}${keys}`;
    for (let index = 0; index < args.length; index += 1) text += bulk(args[index] ?? '');
    return text;
  }

  private headOf(call: Call): OrgHead {
    const known = this.heads.get(call.org);
    if (known !== undefined && known.cycles === call.cycles) return known;
    const keys = this.keys.ofCall(call);
    const head = {
      cycles: call.cycles,
      keys: bulk(keys.length) + keys.map(bulk).join(''),
      count: 1 + keys.length,
    };
    if (this.heads.size >= HEADS_MAX) this.heads.clear();
    this.heads.set(call.org, head);
    return head;
  }
}

function bulk(value: string | number): string {
  if (typeof value === 'string') return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  const text = String(value);
  return `$${text.length}\r\n${text}\r\n`;
}
