/**
 * Numbers of groups. A section of a user's text names the groups that the user was in, and the ids of ten groups would take more memory
 * than what they are named for: the text has a number for each instead. An org numbers a group in the first fold that names it, and the
 * number never changes. Sections of earlier versions have the ids.
 *
 * Table `history:groups`: `g:<group>` → number; `n:<number>` → group; `count` → how many.
 */
import type { Fold, OrgStore, Table, Want } from '../ledger/port.js';
import { groupIdsIn, groupNumbersIn, withGroupNumbers, withGroups } from './names.js';
import type { Packed } from './packed.js';

export const GROUPS_TABLE: Table = 'history:groups';
const COUNT = 'count';
const idField = (group: string): string => `g:${group}`;
const numberField = (number: number): string => `n:${number}`;

/** The groups that these sections name. */
export function groupsOf(all: Iterable<Packed>): readonly string[] {
  const names = new Set<string>();
  for (const { sections } of all) for (const name of sections.keys()) names.add(name);
  return [...new Set([...names].flatMap(groupIdsIn))];
}

export function numbersWant(groups: readonly string[]): Want {
  return { table: GROUPS_TABLE, fields: [COUNT, ...groups.map(idField)] };
}

/** For a fold: gives a number to groups that have none. */
export class GroupNumbering {
  private readonly numbers = new Map<string, number>();
  private readonly names = new Map<string, string>();
  private readonly added: string[] = [];
  private readonly before: number;

  /** `values`: of `numbersWant` for these groups. */
  constructor(groups: readonly string[], [count, ...values]: readonly (string | null)[]) {
    this.before = Number(count ?? 0);
    for (const [index, group] of groups.entries()) {
      const number = values[index] ?? null;
      if (number !== null) this.numbers.set(group, Number(number));
    }
  }

  /** How many groups had no number. */
  get size(): number {
    return this.added.length;
  }

  /** The same sections, with numbers. */
  numbered({ last, sections }: Packed): Packed {
    return { last, sections: new Map([...sections].map(([name, cells]) => [this.nameOf(name), cells])) };
  }

  /** What must be written together with the first text that has these numbers. */
  puts(): Fold['puts'] {
    if (this.added.length === 0) return [];
    const table = GROUPS_TABLE;
    return [
      ...this.added.flatMap((group, index) => [
        { table, field: idField(group), value: String(this.before + index) },
        { table, field: numberField(this.before + index), value: group },
      ]),
      { table, field: COUNT, value: String(this.before + this.added.length) },
    ];
  }

  private nameOf(name: string): string {
    let numbered = this.names.get(name);
    if (numbered === undefined) {
      numbered = withGroupNumbers(name, (group) => this.numberOf(group));
      this.names.set(name, numbered);
    }
    return numbered;
  }

  private numberOf(group: string): number {
    let number = this.numbers.get(group);
    if (number === undefined) {
      number = this.before + this.added.length;
      this.numbers.set(group, number);
      this.added.push(group);
    }
    return number;
  }
}

/** Fields of one call: keeps it below 2 ms. */
const PAGE_FIELDS = 100;

/** For a reader of one org: names the groups again. */
export class GroupNames {
  private readonly groups = new Map<number, string>();
  private readonly names = new Map<string, string>();

  constructor(
    private readonly store: Pick<OrgStore, 'read'>,
    private readonly org: string,
  ) {}

  /** Reads the ids of the groups that these texts name, as far as they are not known here. */
  async learn(texts: readonly (string | null)[]): Promise<void> {
    const unknown = new Set<number>();
    for (const text of texts)
      for (const number of text === null ? [] : groupNumbersIn(text))
        if (!this.groups.has(number)) unknown.add(number);
    const numbers = [...unknown];
    for (let at = 0; at < numbers.length; at += PAGE_FIELDS)
      await this.read(numbers.slice(at, at + PAGE_FIELDS));
  }

  /** The name of a section with the ids of its groups. Throws a TypeError for a number that the org has not given. */
  nameOf(name: string): string {
    let known = this.names.get(name);
    if (known === undefined) {
      known = withGroups(name, (number) => this.groupOf(number));
      this.names.set(name, known);
    }
    return known;
  }

  private async read(numbers: readonly number[]): Promise<void> {
    const { values } = await this.store.read(this.org, [
      { table: GROUPS_TABLE, fields: numbers.map(numberField) },
    ]);
    for (const [index, number] of numbers.entries()) {
      const group = values[0]?.[index] ?? null;
      if (group !== null) this.groups.set(number, group);
    }
  }

  private groupOf(number: number): string {
    const group = this.groups.get(number);
    if (group === undefined) throw new TypeError(`the history of ${this.org} has no group number ${number}`);
    return group;
  }
}
