/** An admin whose changes are large: staged in pieces between other calls, then current in one step, or given up at any point. */
import { decodeGroup } from '../../../src/ledger/codec.js';
import { type Change, type StagedChange, stagedPrefix } from '../../../src/ledger/port.js';
import { distribute } from '../../../src/quota/limit.js';
import { fieldsOf, incr } from '../../support/ledgers.js';
import type { Pair } from './pair.js';
import type { Random, Tally } from './random.js';
import { GROUPS, memberBy, QUOTAS, STRANGERS, USERS } from './world.js';

type Fields = Record<string, string>;

interface Staging {
  readonly id: string;
  /** Not written yet. */
  readonly pieces: StagedChange[][];
  /** Made by the step that makes the staging current. */
  readonly switched: readonly Change[];
}

export class Stager {
  private staging: Staging | undefined;

  constructor(
    private readonly random: Random,
    private readonly pair: Pair,
    private readonly tally: Tally,
    private readonly org: string,
  ) {}

  async step(): Promise<void> {
    // Maintenance visits the org: it ends what has no piece for a while, also where its author has only been slow.
    if (this.random.chance(0.15)) await this.pair.endStaging(this.org);
    if (this.staging === undefined) return this.begin();
    // A process that is killed: another one finds what it left.
    if (this.random.chance(0.06)) this.forget();
    else if (this.random.chance(0.04)) await this.giveUp(this.staging);
    else await this.goOn(this.staging);
  }

  /** Ends what is left, as maintenance does. */
  async end(): Promise<void> {
    await this.pair.endStaging(this.org, this.staging?.id);
    this.staging = undefined;
  }

  private async begin(): Promise<void> {
    const { pair, random, tally } = this;
    const id = await pair.beginStaging(this.org);
    if (id === undefined) {
      if (await pair.endStaging(this.org)) tally.hit('staging: ended by another process');
      return;
    }
    const isImport = random.chance(0.5);
    const { staged, switched } = isImport ? await this.importUsers() : await this.distribute();
    const pieces: StagedChange[][] = [];
    for (let left = staged; left.length > 0; ) {
      const size = random.between(2, 5);
      pieces.push(left.slice(0, size));
      left = left.slice(size);
    }
    this.staging = { id, pieces, switched };
    tally.hit(isImport ? 'staging: users imported' : 'staging: limits distributed');
  }

  private async goOn(staging: Staging): Promise<void> {
    const { pair, org, tally } = this;
    const piece = staging.pieces.shift();
    if (piece === undefined) return this.makeCurrent(staging);
    const outcome = await pair.stage(org, staging.id, piece);
    tally.hit(`staging: a piece ${outcome}`);
    if (outcome !== 'ok') await this.giveUp(staging);
  }

  private async makeCurrent({ id, switched }: Staging): Promise<void> {
    const { pair, org, random, tally } = this;
    const { version } = await pair.model.ledger.read(org, []);
    // Most do not depend on the version of the org; some do, and find another one.
    const expected = random.pick([{}, {}, {}, {}, {}, { version }, { version: version - 1 }]);
    const done = await pair.commit(org, { ...expected, changes: switched, audit: 'staged', staging: id });
    tally.hit(done === undefined ? 'staging: switch refused' : 'staging: current');
    // Moved into place at once, or by whoever comes next.
    if (done === undefined || random.chance(0.5)) await pair.endStaging(org, id);
    this.staging = undefined;
  }

  private async giveUp({ id }: Staging): Promise<void> {
    await this.pair.endStaging(this.org, id);
    this.tally.hit('staging: given up');
    this.staging = undefined;
  }

  private forget(): void {
    this.tally.hit('staging: abandoned');
    this.staging = undefined;
  }

  /** Equal percent caps for the active users, in place of all caps of the quota. */
  private async distribute() {
    const quota = this.random.pick(QUOTAS);
    const [members, limits] = [await this.table('members'), await this.table('limits')];
    const active = Object.keys(members).filter((user) => members[user]?.startsWith('a'));
    const shares = distribute(Math.max(1, active.length));
    const caps = new Map(
      active.map((user, index) => {
        const { percent = 1, offset = 0 } = shares[index] ?? {};
        return [`${quota}:u:${user}`, `p;${percent};${offset};h;0;0`];
      }),
    );
    const old = Object.keys(limits).filter((field) => field.startsWith(`${quota}:u:`) && !caps.has(field));
    for (const field of old) caps.set(field, '');
    const staged = [...caps].map(([field, value]): StagedChange => {
      return { table: 'limits', field, value, ...this.was(limits, field) };
    });
    return { staged, switched: [] };
  }

  private async importUsers() {
    const { random } = this;
    const [members, groups] = [await this.table('members'), await this.table('groups')];
    const tokens = GROUPS.map((group) => {
      const { generation } = decodeGroup(groups[group] ?? '0;{}');
      return generation === 0 ? group : `${group}#${generation}`;
    });
    let seats = 0;
    const staged: StagedChange[] = [];
    for (const user of random.some([...USERS, ...STRANGERS], 0.4)) {
      const value = memberBy(random, tokens);
      seats += Number(value.startsWith('a')) - Number(members[user]?.startsWith('a') ?? false);
      staged.push({ table: 'members', field: user, value, was: members[user] ?? null });
      staged.push({ table: 'records', field: `user:${user}`, value: '{"name":"x"}' });
    }
    return { staged, switched: [incr('org', 'seatsUsed', seats)] };
  }

  /** Most writers expect what they have read. */
  private was(fields: Fields, field: string): Pick<StagedChange, 'was'> {
    return this.random.chance(0.8) ? { was: fields[field] ?? null } : {};
  }

  private table(name: 'members' | 'limits' | 'groups'): Promise<Fields> {
    return fieldsOf(this.pair.model.ledger, this.org, name);
  }
}

/** Whether a staging is being moved into place: until then, no other change is committed. */
export function isMoving(state: string | null | undefined): boolean {
  return stagedPrefix(state ?? undefined) !== undefined;
}
