/** Serializes this process's writes to one org, so that they do not conflict with each other. */
export class KeyedMutex {
  private readonly last = new Map<string, Promise<unknown>>();

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
}
