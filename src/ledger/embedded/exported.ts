/** The journal's end: what is in the history, and what every target of the export has. lua/include/exported.lua has the same rule. */
import { decodeExport, type ExportStep, encodeExport, type JournalTrim } from '../journal-export.js';
import type { OrgState } from './org-state.js';

/** Entries that one call deletes although a target lacks them, as in lua/trim-journal.lua. */
const PAGE = 50;

/** What an entry takes of the memory besides its text. */
const ENTRY_BYTES = 120;
/** Entries whose size is read: their average stands for all. */
const SAMPLES = 100;

/** About what the journal takes of the memory; 0 without targets, as in lua/pending-work.lua. */
export function journalBytes(orgState: OrgState): number {
  const { journal } = orgState.logs;
  if (orgState.table('exports').map.size === 0 || journal.length === 0) return 0;
  const step = Math.ceil(journal.length / SAMPLES);
  const sampled = journal.filter((_, index) => index % step === 0);
  const bytes = sampled.reduce((sum, { text }) => sum + text.length + ENTRY_BYTES, 0);
  return Math.round((bytes / sampled.length) * journal.length);
}

/** Deletes entries that are in the history and that no target lacks; returns how many. */
export function trimExported(orgState: OrgState): number {
  const texts = [...orgState.table('exports').map.values()].map(String);
  const last = [orgState.org.text('fold') ?? '', ...texts.map((text) => decodeExport(text).last)].sort()[0];
  return orgState.trim('journal', last ?? '');
}

/** Returns false if the target's text is another one. */
export function stepExport(orgState: OrgState, { target, was, next }: ExportStep): boolean {
  const fields = orgState.table('exports');
  if (orgState.org.text('epoch') === undefined || (fields.text(target) ?? null) !== was) return false;
  if (next === null) fields.delete(target);
  else fields.set(target, next);
  trimExported(orgState);
  return true;
}

/** Deletes what nobody lacks, and then the oldest entries of a journal with more than `most`, if they are in the history. */
export function trimJournal(orgState: OrgState, most: number): JournalTrim {
  const trimmed = trimExported(orgState);
  const { journal } = orgState.logs;
  const fold = orgState.org.text('fold') ?? '';
  const oldest = journal.slice(0, Math.max(0, Math.min(PAGE, journal.length - most)));
  const going = oldest.filter(({ id }) => id <= fold);
  const last = going.at(-1)?.id;
  if (last === undefined) return { trimmed, lost: [] };
  const lost: { target: string; entries: number }[] = [];
  const fields = orgState.table('exports');
  for (const [target, text] of fields.map) {
    const state = decodeExport(String(text));
    const entries = going.filter(({ id }) => id > state.last).length;
    if (entries === 0) continue;
    fields.set(target, encodeExport({ ...state, last, lost: state.lost + entries }));
    lost.push({ target, entries });
  }
  return { trimmed: trimmed + trimExported(orgState), lost };
}
