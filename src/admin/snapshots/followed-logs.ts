/** The change feed and the journal of an org, from where a copy of its tables has followed them. */
import { setImmediate as turn } from 'node:timers/promises';
import { type ChangedFields, FEED_KEPT } from '../../ledger/change-feed.js';
import { decodeJournal } from '../../ledger/codec.js';
import type { Log, OrgStore, Table } from '../../ledger/port.js';
import { lineOf } from '../../quota/id.js';

const ENTRIES_A_PAGE = 50;
/** Of journal entries parsed in one turn of the event loop: about half a millisecond. */
const LENGTH_A_TURN = 8_192;

export class FollowedLogs {
  private epoch: string | undefined;
  /** Entries up to these were followed. */
  private changesAt = '';
  private journalAt = '';

  constructor(
    private readonly ledger: Pick<OrgStore, 'read' | 'log' | 'logBack'>,
    private readonly org: string,
  ) {}

  /** What the logs have by now is in each scan that begins after this. */
  async begin(): Promise<void> {
    if (this.epoch !== undefined) return;
    const [changesAt, journalAt] = await Promise.all([this.lastOf('changes'), this.lastOf('journal')]);
    const { epoch, fold } = await this.head();
    this.epoch = epoch;
    this.changesAt = changesAt;
    this.journalAt = isAfter(fold, journalAt) ? fold : journalAt;
  }

  /** Adds what changed in these tables since the last time. */
  async follow(tables: Iterable<Table>, changed: ChangedFields): Promise<void> {
    const names = [...tables];
    await this.followFeed(names, changed);
    await this.followJournal(
      names.filter((name) => name.startsWith('consumed:')),
      changed,
    );
  }

  private async lastOf(log: Log): Promise<string> {
    const [last] = await this.ledger.logBack(this.org, log, '', 1);
    return last?.id ?? '';
  }

  private async head(): Promise<{ epoch: string; fold: string }> {
    const { values } = await this.ledger.read(this.org, [{ table: 'org', fields: ['epoch', 'fold'] }]);
    const [epoch, fold] = values[0] ?? [];
    return { epoch: epoch ?? '', fold: fold ?? '' };
  }

  private async followFeed(names: readonly Table[], changed: ChangedFields): Promise<void> {
    let count = 0;
    for await (const { id, text } of this.entriesAfter('changes', this.changesAt)) {
      changed.addEntry(text);
      this.changesAt = id;
      count += 1;
    }
    // So many may be all that the feed kept.
    if (count >= FEED_KEPT) for (const name of names) changed.all.add(name);
  }

  private async followJournal(counters: readonly Table[], changed: ChangedFields): Promise<void> {
    const from = this.journalAt;
    let parsed = 0;
    for await (const { id, text } of this.entriesAfter('journal', from)) {
      this.journalAt = id;
      if (counters.length === 0) continue;
      for (const field of linesOf(text)) for (const name of counters) changed.add(name, field);
      parsed += text.length;
      if (parsed < LENGTH_A_TURN) continue;
      parsed = 0;
      await turn();
    }
    const { epoch, fold } = await this.head();
    if (epoch !== this.epoch) throw new Error(`The data of ${this.org} was replaced while it was copied`);
    // Entries that are folded leave the journal: some may have left it unseen.
    if (!isAfter(fold, from)) return;
    for (const name of counters) changed.all.add(name);
    if (isAfter(fold, this.journalAt)) this.journalAt = fold;
  }

  private async *entriesAfter(log: Log, after: string) {
    for (let last = after; ; ) {
      const page = await this.ledger.log(this.org, log, last, ENTRIES_A_PAGE);
      yield* page;
      last = page.at(-1)?.id ?? last;
      if (page.length < ENTRIES_A_PAGE) return;
    }
  }
}

/** The counter lines that a journal entry moved. */
function* linesOf(text: string): Generator<string> {
  for (const { user, groups, charges, refused } of decodeJournal(text)) {
    // A refusal moved nothing.
    if (refused !== undefined) continue;
    for (const { quota } of charges) {
      yield lineOf(quota, 'user', user);
      for (const group of groups) yield lineOf(quota, 'group', group);
      yield lineOf(quota, 'org', '');
    }
  }
}

/** Whether an entry was appended after another one; '' is before all. */
function isAfter(one: string, other: string): boolean {
  const [at = 0, count = 0] = numbersOf(one);
  const [otherAt = 0, otherCount = 0] = numbersOf(other);
  return at === otherAt ? count > otherCount : at > otherAt;
}

function numbersOf(entry: string): number[] {
  return entry === '' ? [] : entry.split('-').map(Number);
}
