/** An admin who changes by chance all that admins change. */
import { decodeGroup } from '../../../src/ledger/codec.js';
import type { Change } from '../../../src/ledger/port.js';
import { UNITS_MAX } from '../../../src/quota/charge.js';
import { del, fieldsOf, incr, set } from '../../support/ledgers.js';
import { Broken, type Pair } from './pair.js';
import type { Random, Tally } from './random.js';
import { isMoving } from './stager.js';
import { GROUPS, limitBy, memberBy, planBy, QUOTAS, STRANGERS, USERS } from './world.js';

export class Admin {
  constructor(
    private readonly random: Random,
    private readonly pair: Pair,
    private readonly tally: Tally,
    private readonly org: string,
    private readonly scale: number,
  ) {}

  async step(): Promise<void> {
    if (this.random.chance(0.15)) {
      const folded = await this.pair.fold(this.org, this.random.between(1, 10));
      if (folded) this.tally.hit('journal folded');
      return;
    }
    if (this.random.chance(0.15)) return this.exportJournal();
    const { version, values } = await this.pair.model.ledger.read(this.org, [
      { table: 'org', fields: ['state'] },
    ]);
    const moving = isMoving(values[0]?.[0]);
    const changes = await this.changes();
    const stale = this.random.chance(0.08);
    const audit = JSON.stringify({ changes: changes.length });
    const done = await this.pair.commit(this.org, { version: version - (stale ? 1 : 0), changes, audit });
    if (done?.version !== (stale || moving ? undefined : version + 1))
      throw new Broken(`a commit at version ${version}: ${done?.version}`);
    if (moving) this.tally.hit('commit refused while a staging is moved into place');
    else this.tally.hit(stale ? 'commit refused' : 'commit done');
  }

  private async exportJournal(): Promise<void> {
    const { random, pair, org } = this;
    if (random.chance(0.5)) {
      await pair.fold(org, random.between(1, 3));
      if ((await pair.trim(org, 0)) > 0) this.tally.hit('journal entries lost');
      return;
    }
    await pair.export(org, random.chance(0.5) ? 'bills' : 'files', random.between(0, 4));
    this.tally.hit('journal exported');
  }

  private table(name: 'org' | 'limits' | 'members' | 'groups'): Promise<Record<string, string>> {
    return fieldsOf(this.pair.model.ledger, this.org, name);
  }

  private async changes(): Promise<Change[]> {
    const { random } = this;
    switch (
      random.weighted({ limit: 40, member: 18, group: 18, plan: 12, seats: 5, state: 4, rule: 4, archive: 3 })
    ) {
      case 'limit':
        return this.changeLimit();
      case 'member':
        return this.changeMember();
      case 'group':
        return this.changeGroup();
      case 'plan':
        return this.changePlan();
      case 'seats':
        return [set('org', 'seats', random.chance(0.5) ? '' : random.between(1, 8))];
      case 'rule':
        return [incr('org', 'ruleVersion', 1)];
      case 'archive':
        return [set('org', 'state', 'archived')];
      default:
        return [
          set('org', 'state', 'open'),
          set('org', 'thresholds', random.pick(['50,80,90,100', '100', '', '100;50,90;25', ';80;'])),
        ];
    }
  }

  private async changeLimit(): Promise<Change[]> {
    const { random, tally } = this;
    const subject = random.chance(0.6) ? `u:${random.pick(USERS)}` : `g:${random.pick(GROUPS)}`;
    const org = await this.table('org');
    const consumed = await fieldsOf(this.pair.model.ledger, this.org, `consumed:${Number(org.start)}`);
    const lines = Object.keys(consumed).filter((field) => /^[a-z]+:[ug]:/.test(field));
    const known = random.chance(0.5) && lines.length > 0;
    const line = known ? random.pick(lines) : `${random.pick(QUOTAS)}:${subject}`;
    const spent = Number(consumed[line] ?? 0);
    const undo = org.state === 'archived' ? [set('org', 'state', 'open')] : [];
    switch (random.weighted({ lower: 6, raise: 3, delete: 4, other: 3 })) {
      case 'lower': {
        if (spent < 2) break;
        tally.hit('rule 6: limit set below what is consumed');
        return [...undo, set('limits', line, Math.max(1, spent - random.between(1, 5) * this.scale))];
      }
      case 'raise':
        tally.hit('rule 6: limit raised');
        return [
          ...undo,
          set('limits', line, Math.min(UNITS_MAX, spent + random.between(5, 30) * this.scale)),
        ];
      case 'delete':
        tally.hit('rule 6: limit deleted');
        return [...undo, del('limits', line)];
    }
    return [...undo, set('limits', line, limitBy(random, this.scale, Number(org.now ?? 0)))];
  }

  private async changeMember(): Promise<Change[]> {
    const members = await this.table('members');
    const groups = await this.table('groups');
    const user = this.random.pick([...USERS, this.random.pick(STRANGERS)]);
    const tokens = GROUPS.map((group) => {
      const { generation } = decodeGroup(groups[group] ?? '0;{}');
      return generation === 0 ? group : `${group}#${generation}`;
    });
    const text = memberBy(this.random, tokens);
    const seats = Number(text.startsWith('a')) - Number(members[user]?.startsWith('a') ?? false);
    return [set('members', user, text), incr('org', 'seatsUsed', seats)];
  }

  private async changeGroup(): Promise<Change[]> {
    const groups = await this.table('groups');
    const dead = GROUPS.filter((name) => groups[name]?.startsWith('-'));
    const group = this.random.pick(dead.length > 0 ? dead : GROUPS);
    const { generation, alive } = decodeGroup(groups[group] ?? '0;{}');
    this.tally.hit(alive ? 'group deleted' : 'group made anew');
    const mark = alive ? -generation - 1 : generation + 1;
    return [set('groups', group, `${mark};{"name":"x"}`)];
  }

  private changePlan(): Change[] {
    const { random, scale } = this;
    const quota = random.pick(QUOTAS);
    if (random.chance(0.6)) return [incr('org', `extra:${quota}`, random.between(1, 30) * scale)];
    const field = random.chance(0.5) ? `next:${quota}` : `plan:${quota}`;
    return [set('org', field, planBy(random, scale, quota))];
  }
}
