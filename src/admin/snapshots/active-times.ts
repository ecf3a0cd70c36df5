/** When the users of a copy were last active: read once for all of them, then again of those that were charged. */

/** A row with what the history says of it. */
interface ActiveRow {
  readonly userKey: string;
  activeAt: number;
}

/** Instants by user key, without users who were not active. */
export type ReadActive = (userKeys: readonly string[]) => Promise<ReadonlyMap<string, number>>;

interface Options<Row> {
  readonly rows: () => Iterable<Row>;
  /** The row has another time. */
  readonly onChange: (row: Row) => void;
}

/** A charge is folded within seconds: until then, the history says of it nothing. */
const FOLDED_MS = 30_000;
/** Times are hours: a user that was active in the present one cannot be active later. */
const HOUR_MS = 3_600_000;

export class ActiveTimes<Row extends ActiveRow> {
  /** When their last charge was seen (performance.now). */
  private readonly charged = new Map<Row, number>();
  private isRead = false;
  private running: Promise<void> | undefined;

  constructor(private readonly options: Options<Row>) {}

  /** A charge of this row was seen, or the row is new. */
  touch(row: Row): void {
    if (this.isRead) this.charged.set(row, performance.now());
  }

  /** `now`: the store's time. Callers that wait share a reading. */
  bringUp(now: number, read: ReadActive): Promise<void> {
    this.running ??= this.readDue(now, read).finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async readDue(now: number, read: ReadActive): Promise<void> {
    const due = this.isRead ? [...this.charged.keys()] : [...this.options.rows()];
    const foldedBefore = performance.now() - FOLDED_MS;
    const wasRead = this.isRead;
    // Charges that are seen meanwhile are read next time.
    this.isRead = true;
    try {
      const times = await read(due.map(({ userKey }) => userKey));
      for (const row of due) this.put(row, times.get(row.userKey) ?? 0);
    } catch (error) {
      this.isRead = wasRead;
      throw error;
    }
    for (const [row, seenAt] of this.charged)
      if (seenAt < foldedBefore || row.activeAt > now - HOUR_MS) this.charged.delete(row);
  }

  private put(row: Row, at: number): void {
    if (row.activeAt === at) return;
    row.activeAt = at;
    this.options.onChange(row);
  }
}
