/** Changes that are not on disk yet: the last value of each changed field. */
import type { ChangeListener, Value } from './org-state.js';

export class Changes {
  /** By key prefix, then by field: no key is built before it is written. */
  private readonly prefixes = new Map<string, Map<string, Value | undefined>>();
  private count = 0;

  /** How many fields changed. */
  get size(): number {
    return this.count;
  }

  readonly add: ChangeListener = (prefix, field, value) => {
    let fields = this.prefixes.get(prefix);
    if (fields === undefined) {
      fields = new Map();
      this.prefixes.set(prefix, fields);
    }
    this.count -= fields.size;
    fields.set(field, value);
    this.count += fields.size;
  };

  /** Changes of the fields under a prefix. */
  under(prefix: string): ReadonlyMap<string, Value | undefined> | undefined {
    return this.prefixes.get(prefix);
  }

  /** Adds changes that were made later. */
  addAll(later: Changes): void {
    for (const [prefix, fields] of later.prefixes)
      for (const [field, value] of fields) this.add(prefix, field, value);
  }

  /** Keys and values (undefined: deleted). */
  *entries(): Generator<[key: string, value: Value | undefined]> {
    for (const [prefix, fields] of this.prefixes)
      for (const [field, value] of fields) yield [prefix + field, value];
  }
}
