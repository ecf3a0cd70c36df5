/** Turns what the ledger queued in the outbox into events, a batch of notices, and deliveries: all in one step. */

import type { Ledger, NoticeField } from '../ledger/port.js';
import { NOTICES_DUE } from '../ledger/port.js';
import { readOrg } from '../ledger/view/org-view.js';
import type { Quotas } from '../quota/units.js';
import { addTo, type Deliveries, deliveriesIn, newBatch } from './deliveries.js';
import { nameIn, namesOf } from './names.js';
import { noticeOf, type QueuedNotice, queuedNotice } from './notice.js';
import { isWanted, SETTINGS, settingsIn } from './settings.js';

/** Entries that one step takes: limits the time of the store. */
const TAKEN_MAX = 200;

export interface IntakeOptions {
  readonly ledger: Ledger;
  readonly quotas: Quotas;
  /** How long a delivery is attempted. */
  readonly keepMs: number;
  readonly targetsOf: (org: string, table: ReadonlyMap<string, string>) => Promise<readonly string[]>;
  /** Called when notices reach nobody. */
  readonly onUnheard: (org: string, notices: number) => void;
}

/** One step. Returns whether more may follow at once; `table` is table `notices` as it was read. */
export async function takeNotices(
  { ledger, quotas, keepMs, targetsOf, onUnheard }: IntakeOptions,
  org: string,
  table: ReadonlyMap<string, string>,
): Promise<{ readonly isLast: boolean }> {
  const entries = await ledger.log(org, 'outbox', '', TAKEN_MAX);
  const [first] = entries;
  const last = entries.at(-1);
  if (first === undefined || last === undefined) return { isLast: true };
  const settings = settingsIn(table.get(SETTINGS));
  // Without a message, a refusal still is an event; a threshold that is not set any more is none.
  const isTold = ({ scope, what }: QueuedNotice): boolean => isWanted(settings, scope, what);
  const queued = entries.map(queuedNotice).filter((one) => one.what === 'refused' || isTold(one));
  const view = await readOrg({ ledger, quotas }, org, namesOf(queued));
  const shown = (one: QueuedNotice) =>
    noticeOf(one, { org, quotas, cycle: view.cycle, nameOf: nameIn(view) });
  const notices = queued.filter(isTold).map(shown);
  const targets = notices.length === 0 ? [] : await targetsOf(org, table);
  const expects: NoticeField[] = [];
  const changes: NoticeField[] = [];
  if (targets.length > 0) {
    const batch = newBatch(notices);
    changes.push(batch.change);
    const addition = { batch: batch.id, notices: notices.length, now: view.now, keepMs };
    const deliveries: Deliveries = deliveriesIn(table);
    for (const target of targets) {
      const added = addTo(deliveries, target, addition);
      expects.push(...added.expects);
      changes.push(added.change);
    }
    changes.push([NOTICES_DUE, String(view.now)]);
  }
  const events = queued.map((one) => JSON.stringify(shown(one)));
  const outbox = { first: first.id, last: last.id };
  const isDone = await ledger.stepNotices(org, { outbox, expects, changes, events });
  if (isDone && notices.length > 0 && targets.length === 0) onUnheard(org, notices.length);
  return { isLast: isDone && entries.length < TAKEN_MAX };
}
