/**
 * Key names. All keys of an org share one hash tag, so an org is in one slot of a Cluster and one script may use all of
 * them: `qg:{acme}:limits`.
 */
import type { Call, Job, Log, Table } from '../port.js';

const FIXED = [
  'org',
  'limits',
  'members',
  'groups',
  'holds',
  'due',
  'producers',
  'journal',
  'outbox',
  'cycles',
  'keys',
  'audit',
] as const;

export class Keys {
  private readonly fixed = new Map<string, readonly string[]>();

  /** `prefix` separates several installations on one Redis. */
  constructor(private readonly prefix: string) {}

  /** The set of all org ids. */
  get orgs(): string {
    return `${this.prefix}:orgs`;
  }

  /** The store's own key: when it was created. */
  get store(): string {
    return `${this.prefix}:store`;
  }

  /** All keys, as a pattern for the rules of a Redis user. */
  get pattern(): string {
    return `${this.prefix}:*`;
  }

  /** Used by the permission check; no org can have this name. */
  scratch(kind: string): string {
    return this.of('*permissions*', `scratch:${kind}`);
  }

  /** Orgs by the time of their next maintenance. */
  schedule(job: Job): string {
    return `${this.prefix}:schedule:${job}`;
  }

  lease(job: string): string {
    return `${this.prefix}:lease:${job}`;
  }

  of(org: string, name: Table | Log | 'producers' | 'due' | `scratch:${string}`): string {
    return `${this.prefix}:{${org}}:${name}`;
  }

  /** The first KEYS of what deletes journal entries. */
  ofJournal(org: string): string[] {
    return (['org', 'journal', 'exports'] as const).map((name) => this.of(org, name));
  }

  /** The KEYS of apply.lua, in the order of its header. */
  ofCall(call: Call): string[] {
    let fixed = this.fixed.get(call.org);
    if (fixed === undefined) {
      fixed = FIXED.map((name) => `${this.prefix}:{${call.org}}:${name}`);
      if (this.fixed.size >= MEMO_MAX) this.fixed.clear();
      this.fixed.set(call.org, fixed);
    }
    const keys = [...fixed];
    for (const { start } of call.cycles)
      keys.push(this.of(call.org, `consumed:${start}`), this.of(call.org, `held:${start}`));
    keys.push(this.of(call.org, 'changes'));
    return keys;
  }
}

const MEMO_MAX = 10_000;
