/** This process's writes to one org go one after another, so that they do not make each other stale. */
export class KeyedMutex {
  private readonly last = new Map<string, Promise<unknown>>();

  async take<Answer>(org: string, work: () => Promise<Answer>): Promise<Answer> {
    const before = this.last.get(org) ?? Promise.resolve();
    // What became of the one before is its caller's business.
    const mine = before.then(work, work);
    this.last.set(org, mine);
    try {
      return await mine;
    } finally {
      if (this.last.get(org) === mine) this.last.delete(org);
    }
  }
}
