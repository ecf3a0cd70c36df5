/** Arguments and replies of read.lua, commit.lua and stage.lua, whose headers define their places. */

import { feedText } from '../change-feed.js';
import type { Change, Commit, Expectation, Snapshot, StagedChange, Table, Want } from '../port.js';
import type { Keys } from './keys.js';

export type Args = (string | number)[];

/** KEYS of a script about one org: each table gets its place at its first use. The org itself is the first. */
export class OrgKeys {
  readonly keys: string[];
  private readonly places = new Map<Table, number>([['org', 1]]);

  constructor(
    private readonly naming: Keys,
    private readonly org: string,
    ...others: string[]
  ) {
    this.keys = [naming.of(org, 'org'), ...others];
  }

  place(table: Table): number {
    let place = this.places.get(table);
    if (place === undefined) {
      place = this.keys.push(this.naming.of(this.org, table));
      this.places.set(table, place);
    }
    return place;
  }
}

/** Per `Want`: the place of its table in KEYS, the number of fields, and the fields. */
export function wantArgs(keys: OrgKeys, wants: readonly Want[]): Args {
  return wants.flatMap(({ table, fields }) => [keys.place(table), fields.length, ...fields]);
}

export function commitArgs(keys: OrgKeys, commit: Commit): Args {
  const { version = '', changes, audit, expects = [], wants = [], staging = '' } = commit;
  const args: Args = [version, audit, feedText(changes, staging), staging, changes.length];
  for (const change of changes) {
    if ('set' in change) args.push('set', keys.place(change.set), change.field, change.value);
    else if ('del' in change) args.push('del', keys.place(change.del), change.field, '');
    else args.push('incr', keys.place(change.incr), change.field, change.by);
  }
  args.push(...expectedArgs(keys, changes, expects), ...wantArgs(keys, wants));
  return args;
}

export function stageArgs(keys: OrgKeys, id: string, changes: readonly StagedChange[]): Args {
  const expects = changes.map(({ table, field, value, was }) => ({ set: table, field, value, was }));
  const args: Args = [id, ...expectedArgs(keys, expects, [])];
  for (const { table, field, value } of changes) args.push(keys.place(table), field, value);
  return args;
}

/** What is expected of the fields, in the form of include/expected-fields.lua. */
function expectedArgs(keys: OrgKeys, changes: readonly Change[], expects: readonly Expectation[]): Args {
  const args: Args = [];
  const add = (table: Table, field: string, wanted: string): void => {
    args.push(keys.place(table), field, wanted);
  };
  for (const { table, fields, values } of expects)
    for (const [index, field] of fields.entries()) add(table, field, exactly(values[index] ?? null));
  for (const change of changes) {
    if ('incr' in change) {
      if (change.most !== undefined) add(change.incr, change.field, `<${change.most - change.by}`);
    } else if (change.was !== undefined) {
      add('set' in change ? change.set : change.del, change.field, exactly(change.was));
    }
  }
  return [args.length / 3, ...args];
}

function exactly(value: string | null): string {
  return value === null ? '' : `=${value}`;
}

export function snapshotIn(reply: unknown, wants: readonly Want[]): Snapshot {
  const [now, version, ...found] = reply as [number, number, ...(string | null)[]];
  let at = 0;
  const values = wants.map(({ fields }) => {
    const from = at;
    at += fields.length;
    return found.slice(from, at);
  });
  return { now, version, values };
}
