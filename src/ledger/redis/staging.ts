/** Stagings in Redis: lua/include/staged.lua has what they are. Every step is one short script call. */
import {
  STAGED_TABLES,
  STAGING_IDLE_MS,
  type StagedChange,
  type StageOutcome,
  type StagingStore,
} from '../port.js';
import { type Args, OrgKeys, stageArgs } from './directory.js';
import type { Keys } from './keys.js';
import type { Script } from './scripts.js';

/** Staged fields moved by one call: below half a millisecond of a slow processor. */
const MOVED_MAX = 100;

export interface StagingCalls {
  readonly run: (script: Script, keys: readonly string[], args: Args) => Promise<unknown>;
  readonly send: (command: string, args: [key: string, ...Args]) => Promise<unknown>;
}

export class RedisStaging implements StagingStore {
  constructor(
    private readonly keys: Keys,
    private readonly scripts: { readonly stage: Script; readonly unstage: Script },
    private readonly calls: StagingCalls,
  ) {}

  async beginStaging(org: string): Promise<string | undefined> {
    const id = await this.calls.run(this.scripts.stage, [this.keys.of(org, 'org')], ['', 0]);
    return id === '' ? undefined : String(id);
  }

  async stage(org: string, id: string, changes: readonly StagedChange[]): Promise<StageOutcome> {
    const keys = new OrgKeys(this.keys, org);
    const args = stageArgs(keys, id, changes);
    return (await this.calls.run(this.scripts.stage, keys.keys, args)) as StageOutcome;
  }

  async endStaging(org: string, id = ''): Promise<boolean> {
    const { unstage } = this.scripts;
    const key = this.keys.of(org, 'org');
    const begun = String(await this.calls.run(unstage, [key], ['begin', id, STAGING_IDLE_MS]));
    if (begun === '' || begun === 'alive') return begun === '';
    for (const table of STAGED_TABLES) await this.moveAll(org, this.keys.of(org, table));
    await this.calls.run(unstage, [key], ['finish', begun]);
    return true;
  }

  /** Fields that are there during a whole scan are returned by it, so one scan finds all staged fields. */
  private async moveAll(org: string, table: string): Promise<void> {
    const key = this.keys.of(org, 'org');
    let cursor = '0';
    do {
      const args: [string, ...Args] = [table, cursor, 'MATCH', '![0-9]*', 'COUNT', MOVED_MAX];
      const [next, flat] = (await this.calls.send('hscan', args)) as [string, string[]];
      const fields = flat.filter((_, index) => index % 2 === 0);
      for (let from = 0; from < fields.length; from += MOVED_MAX) {
        const some = fields.slice(from, from + MOVED_MAX);
        await this.calls.run(this.scripts.unstage, [key, table], ['piece', ...some]);
      }
      cursor = next;
    } while (cursor !== '0');
  }
}
