/** Runs a task one run at a time. A caller gets a run that begins after the call; callers that wait share it. */
export class SerialTask<Result> {
  private running: Promise<unknown> = Promise.resolve();
  private next: Promise<Result> | undefined;

  constructor(private readonly task: () => Promise<Result>) {}

  run(): Promise<Result> {
    if (this.next === undefined) {
      this.next = this.running.then(() => {
        this.next = undefined;
        return this.task();
      });
      this.running = this.next.catch(() => undefined);
    }
    return this.next;
  }
}
