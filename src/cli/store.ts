/** `quotagate store …`: an operator accepts lost data or a changed clock, directly on the store that the config names. */
import { Command } from 'commander';
import { pino } from 'pino';
import { type Accepted, acceptClock, acceptLoss, lostOrgs } from '../admin/index.js';
import { openLedger } from '../app/build-ledger.js';
import type { Environment } from '../config/environment.js';
import { readConfig } from '../config/load.js';
import { claimStore } from '../ledger/store-meta.js';

export interface StoreOutput {
  write(text: string): unknown;
}

interface AcceptOptions {
  readonly config: string;
  readonly org?: readonly string[];
  readonly all?: boolean;
  readonly reason: string;
}

interface ClockOptions {
  readonly config: string;
  readonly reason: string;
}

const OUTCOMES: Readonly<Record<Accepted, string>> = {
  made: 'created from the config; nothing is consumed',
  'made-bare':
    'created without plans, because the config does not define it: set its cycle, plans and limits with the admin API',
  taken: 'its data exists, and gateways use it from now on',
  unknown: 'no gateway has reported it missing, and the config does not define it: nothing changed',
};

export function storeCommand(environment: Environment, out: StoreOutput, configFile: string): Command {
  const accept = new Command('accept-loss')
    .description('accept that the data of orgs is lost; until then, gateways answer 503 for them')
    .option('-c, --config <file>', 'config file', configFile)
    .option('--org <org...>', 'ids of the orgs')
    .option('--all', 'every org whose data gateways report missing')
    .option('--reason <text>', 'reason, for the audit log', '')
    .action((options: AcceptOptions) => acceptLosses(options, environment, out));
  const clock = new Command('accept-clock')
    .description(
      'accept the current time of the store; until then, gateways refuse a time that jumped forward',
    )
    .option('-c, --config <file>', 'config file', configFile)
    .option('--reason <text>', 'reason, for the audit log', '')
    .action((options: ClockOptions) => acceptStoreClock(options, environment, out));
  return new Command('store')
    .description('repair the store: accept lost data or a changed clock')
    .addCommand(accept)
    .addCommand(clock);
}

export async function acceptLosses(
  { config: file, org = [], all = false, reason }: AcceptOptions,
  environment: Environment,
  out: StoreOutput,
): Promise<void> {
  const { store, orgs, quotas } = readConfig(file, environment);
  if ('embedded' in store)
    throw new Error(
      'the config has no store.redis, store.sentinel or store.cluster: accept-loss applies to Redis only',
    );
  if (all === org.length > 0) throw new Error('name the orgs with --org, or use --all');
  const ledger = await openLedger(store, pino({ level: 'silent' }));
  try {
    await claimStore(ledger, quotas);
    const ids = all ? await lostOrgs(ledger) : org;
    if (ids.length === 0) out.write('no org is marked as lost\n');
    const unknown: string[] = [];
    for (const id of ids) {
      const accepted = await acceptLoss(ledger, id, { seed: orgs[id], quotas, reason });
      out.write(`${id}: ${OUTCOMES[accepted]}\n`);
      if (accepted === 'unknown') unknown.push(id);
    }
    if (unknown.length > 0) throw new Error(`org not found: ${unknown.join(', ')}`);
  } finally {
    await ledger.close();
  }
}

/** One process opens an embedded store, so stop the gateway first. */
export async function acceptStoreClock(
  { config: file, reason }: ClockOptions,
  environment: Environment,
  out: StoreOutput,
): Promise<void> {
  const { store, quotas } = readConfig(file, environment);
  const ledger = await openLedger(store, pino({ level: 'silent' }));
  try {
    await claimStore(ledger, quotas);
    const { clock, setBack } = await acceptClock(ledger, reason);
    out.write(`the time of the store is ${instant(clock)}; gateways accept it within seconds\n`);
    for (const { org, from } of setBack)
      out.write(`${org}: its time was ${instant(from)} and is now set back; its cycle is unchanged\n`);
  } finally {
    await ledger.close();
  }
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
