import { ProblemError } from '../../errors/catalogue.js';
import type { Once } from './idempotency.js';

/** Serializes this process's writes to one org, so that they do not conflict with each other. */
export class KeyedMutex {
  private readonly last = new Map<string, Promise<unknown>>();
  private readonly running = new Set<string>();

  async run<Answer>(org: string, work: () => Promise<Answer>): Promise<Answer> {
    const before = this.last.get(org) ?? Promise.resolve();
    // A failure of the previous write is reported to its own caller.
    const mine = before.then(work, work);
    this.last.set(org, mine);
    try {
      return await mine;
    } finally {
      if (this.last.get(org) === mine) this.last.delete(org);
    }
  }

  /** The same; a repetition that arrives while the first request runs is refused. Other replicas are met at the commit. */
  async runOnce<Answer>(
    { org, once }: { readonly org: string; readonly once?: Once | undefined },
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    if (once === undefined) return this.run(org, work);
    const name = `${org}/${once.field}`;
    if (this.running.has(name))
      throw new ProblemError('idempotency-key-running', 'The first request with this key is still running');
    this.running.add(name);
    try {
      return await this.run(org, work);
    } finally {
      this.running.delete(name);
    }
  }
}
