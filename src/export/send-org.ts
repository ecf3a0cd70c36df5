/** Sends the journal of one org to one target, batch after batch, until the target has it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { appendedAt, decodeJournal, type JournalLine } from '../ledger/codec.js';
import { decodeExport, encodeExport } from '../ledger/journal-export.js';
import type { OrgStore } from '../ledger/port.js';
import { storedDecimals } from '../ledger/store-meta.js';
import type { Quotas } from '../quota/units.js';
import { eventsOf } from './events.js';
import type { ExportObserver } from './observer.js';
import { ExportError, type Target } from './target.js';

/** The store may lose younger entries in a crash: what was exported would then not be counted. */
export const AGE_MS = 2_000;
/** One page of entries keeps the store below 2 ms. */
const PAGE_ENTRIES = 50;
const BATCH_LENGTH_MAX = 1_000_000;
/** Events made in one turn of the event loop: less than half a millisecond. */
const EVENTS_PER_TURN = 100;

export interface SendOptions {
  readonly ledger: OrgStore;
  readonly quotas: Quotas;
  readonly source: string;
  readonly observer: ExportObserver;
}

interface Sending {
  readonly org: string;
  readonly target: Target;
  /** Ends after the batch in flight. */
  readonly signal: AbortSignal;
}

/** Returns false if the target failed. */
export async function sendOrg(options: SendOptions, { org, target, signal }: Sending): Promise<boolean> {
  const { ledger, observer } = options;
  const { name } = target;
  while (!signal.aborted) {
    const { now, values } = await ledger.read(org, [{ table: 'exports', fields: [name] }]);
    const was = values[0]?.[0] ?? null;
    const state = was === null ? { last: '', lost: 0, at: now, error: '' } : decodeExport(was);
    if (was === null) {
      // Refused, for there is no such org or another process was faster: the next visit looks again.
      if (!(await ledger.stepExport(org, { target: name, was, next: encodeExport(state) }))) return true;
      continue;
    }
    const batch = await nextBatch(options, { org, target, after: state.last, now });
    if (batch === undefined) return true;
    const error = await outcomeOf(target.send(batch.events));
    const last = error === '' ? batch.last : state.last;
    // Refused if the org noted something else meanwhile, such as a loss: the next batch follows that.
    await ledger.stepExport(org, {
      target: name,
      was,
      next: encodeExport({ ...state, last, at: now, error }),
    });
    if (error !== '') {
      observer.failed(name, org, error);
      return false;
    }
    observer.sent(name, batch.events.length);
  }
  return true;
}

/** '': it succeeded. */
async function outcomeOf(sent: Promise<void>): Promise<string> {
  try {
    await sent;
    return '';
  } catch (error) {
    if (error instanceof ExportError) return error.message;
    throw error;
  }
}

interface Batch {
  readonly events: readonly string[];
  /** The last entry in it. */
  readonly last: string;
}

interface From extends Pick<Sending, 'org' | 'target'> {
  readonly after: string;
  readonly now: number;
}

/** At least one entry: an entry that is larger than a batch is a batch of its own. Undefined: nothing is old enough. */
async function nextBatch(
  options: SendOptions,
  { org, target, after, now }: From,
): Promise<Batch | undefined> {
  const events: string[] = [];
  let last = after;
  let length = 0;
  for (;;) {
    const page = await options.ledger.log(org, 'journal', last, PAGE_ENTRIES);
    let made = 0;
    for (const { id, text } of page) {
      const added = isOld(id, now) ? await eventsIn(options, { org, id, text }) : [];
      const addedLength = added.reduce((sum, event) => sum + event.length, 0);
      const fits =
        events.length + added.length <= target.batchEvents && length + addedLength <= BATCH_LENGTH_MAX;
      if (added.length === 0 || (!fits && events.length > 0))
        return last === after ? undefined : { events, last };
      events.push(...added);
      length += addedLength;
      last = id;
      made += added.length;
      if (made < EVENTS_PER_TURN) continue;
      made = 0;
      await nextTurn();
    }
    if (page.length < PAGE_ENTRIES) return last === after ? undefined : { events, last };
  }
}

/** An entry from after the org's time was appended before the clock was set back. */
function isOld(entry: string, now: number): boolean {
  const at = appendedAt(entry);
  return at <= now - AGE_MS || at > now;
}

interface Entry {
  readonly org: string;
  readonly id: string;
  readonly text: string;
}

async function eventsIn(options: SendOptions, { org, id, text }: Entry): Promise<string[]> {
  const lines = decodeJournal(text);
  const decimalsOf = await decimalsIn(options, lines);
  return eventsOf({ org, source: options.source, decimalsOf }, id, lines);
}

/** The decimals of the quotas that these lines name: of one that the config no longer has, as the store was created with. */
async function decimalsIn(
  { ledger, quotas }: SendOptions,
  lines: readonly JournalLine[],
): Promise<(quota: string) => number> {
  const named = lines.flatMap(({ charges }) => charges.map(({ quota }) => quota));
  const unknown = [...new Set(named)].filter((quota) => !quotas.has(quota));
  const stored = unknown.length === 0 ? new Map<string, number>() : await storedDecimals(ledger, unknown);
  return (quota) => {
    const configured = quotas.get(quota);
    return configured === undefined ? (stored.get(quota) as number) : configured.decimals;
  };
}
