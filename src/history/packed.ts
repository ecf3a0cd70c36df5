/**
 * The packed form of a subject's history in one table: `<last entry>;<section>;<section>…`. A field a day and hour would take twenty
 * times the memory.
 *
 * - `<last entry>`: id of the last journal entry that it contains, as two numbers. A reader so knows which entries of the journal to
 *   add, whatever is folded meanwhile.
 * - `<section>`: `<name>:<cells>`. The name is `<quota>|<action>|<model>|<key>`, in texts of users with `|#<number><number>…` (of the groups that
 *   the user was in: group-numbers.ts), or of refused requests `!<quota>|<action>|<u, g or o>|<group>`.
 * - `<cells>`: per slot (tables.ts), ascending: what it adds to the slot before, with flags; units; raw amount if it differs.
 *
 * Numbers are in base 32, least digits first, a character each; of the 64 characters, the upper half means that more follow.
 */

/** Units charged in a slot and what the meter read, or a count of refused requests. */
export interface Cell {
  units: number;
  raw: number;
}

/** By slot. */
export type Cells = Map<number, Cell>;

export interface EntryId {
  readonly ms: number;
  readonly seq: number;
}

export interface Packed {
  last: EntryId;
  /** By name. */
  readonly sections: Map<string, Cells>;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const BASE = 32;
const VALUES = new Uint8Array(128);
for (let value = 0; value < DIGITS.length; value += 1) VALUES[DIGITS.charCodeAt(value)] = value;

/** The raw amount differs; the units are below 0; the raw amount is below 0. */
const RAW = 1;
const UNITS_BELOW = 2;
const RAW_BELOW = 4;
const FLAGS = 8;

export const BEFORE_ALL: EntryId = { ms: 0, seq: 0 };

export function entryIdOf(id: string): EntryId {
  const [ms = '0', seq = '0'] = id.split('-');
  return { ms: Number(ms), seq: Number(seq) };
}

export function isAfter(a: EntryId, b: EntryId): boolean {
  return a.ms > b.ms || (a.ms === b.ms && a.seq > b.seq);
}

export function emptyPacked(): Packed {
  return { last: BEFORE_ALL, sections: new Map() };
}

// biome-ignore lint/complexity/useMaxParams: called for every line of the journal, where an object would be allocated each time.
export function addCell(packed: Packed, name: string, slot: number, { units, raw }: Cell): void {
  let cells = packed.sections.get(name);
  if (cells === undefined) {
    cells = new Map();
    packed.sections.set(name, cells);
  }
  const cell = cells.get(slot);
  if (cell === undefined) cells.set(slot, { units, raw });
  else {
    cell.units += units;
    cell.raw += raw;
  }
}

export function addAll(packed: Packed, more: Packed): void {
  for (const [name, cells] of more.sections)
    for (const [slot, cell] of cells) addCell(packed, name, slot, cell);
}

/** Cells that came to 0 are left out. */
export function pack({ last, sections }: Packed): string {
  let text = numberText(last.ms) + numberText(last.seq);
  for (const [name, cells] of sections) {
    const packed = packCells(cells);
    if (packed !== '') text += `;${name}:${packed}`;
  }
  return text;
}

function packCells(cells: Cells): string {
  let text = '';
  let before = 0;
  for (const slot of [...cells.keys()].sort((a, b) => a - b)) {
    const { units, raw } = cells.get(slot) as Cell;
    if (units === 0 && raw === 0) continue;
    const flags =
      (raw === units ? 0 : RAW) + (units < 0 ? UNITS_BELOW : 0) + (raw !== units && raw < 0 ? RAW_BELOW : 0);
    text += numberText((slot - before) * FLAGS + flags) + numberText(Math.abs(units));
    if (raw !== units) text += numberText(Math.abs(raw));
    before = slot;
  }
  return text;
}

export function numberText(number: number): string {
  let text = '';
  let rest = number;
  while (rest >= BASE) {
    const digit = rest % BASE;
    text += DIGITS[BASE + digit];
    rest = (rest - digit) / BASE;
  }
  return text + DIGITS[rest];
}

/** Throws a TypeError for a text in another form: it was changed by hand. */
export function unpack(text: string): Packed {
  const [head = '', ...parts] = text.split(';');
  const reader = new Numbers(head);
  const packed: Packed = { last: { ms: reader.next(), seq: reader.next() }, sections: new Map() };
  for (const part of parts) {
    const at = part.indexOf(':');
    packed.sections.set(part.slice(0, at), unpackCells(part.slice(at + 1)));
  }
  return packed;
}

function unpackCells(text: string): Cells {
  const cells: Cells = new Map();
  const reader = new Numbers(text);
  let slot = 0;
  while (!reader.isAtEnd) {
    const step = reader.next();
    const flags = step % FLAGS;
    slot += (step - flags) / FLAGS;
    const size = reader.next();
    const units = flags & UNITS_BELOW ? -size : size;
    let raw = units;
    if (flags & RAW) raw = flags & RAW_BELOW ? -reader.next() : reader.next();
    cells.set(slot, { units, raw });
  }
  return cells;
}

/** Numbers that were written one after the other. */
export function numbersIn(text: string): number[] {
  const reader = new Numbers(text);
  const numbers: number[] = [];
  while (!reader.isAtEnd) numbers.push(reader.next());
  return numbers;
}

class Numbers {
  private at = 0;

  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  next(): number {
    let number = 0;
    let scale = 1;
    for (;;) {
      if (this.isAtEnd) throw new TypeError('a packed history ends within a number');
      const value = VALUES[this.text.charCodeAt(this.at)] ?? 0;
      this.at += 1;
      if (value < BASE) return number + value * scale;
      number += (value - BASE) * scale;
      scale *= BASE;
    }
  }
}
