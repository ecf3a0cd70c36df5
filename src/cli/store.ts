/** `quotagate store …`: what an operator decides about lost data and a wrong clock, directly on the store that the config names. */
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

const TOLD: Readonly<Record<Accepted, string>> = {
  made: 'made anew as the config states it; nothing is consumed',
  'made-bare':
    'made anew without plans, for the config does not state it: set its cycle, plans and limits by the admin API',
  taken: 'its book is there, and gateways take it from now on',
  unknown: 'no gateway has missed it, and the config does not state it: nothing is done',
};

export function storeCommand(environment: Environment, out: StoreOutput, configFile: string): Command {
  const accept = new Command('accept-loss')
    .description('give up lost data of orgs: gateways answer 503 for them until then')
    .option('-c, --config <file>', 'config file', configFile)
    .option('--org <org...>', 'ids of the orgs')
    .option('--all', 'every org whose data gateways have missed')
    .option('--reason <text>', 'for the audit log', '')
    .action((options: AcceptOptions) => acceptLosses(options, environment, out));
  const clock = new Command('accept-clock')
    .description('take the time that the store shows now: gateways refuse one that jumped forward until then')
    .option('-c, --config <file>', 'config file', configFile)
    .option('--reason <text>', 'for the audit log', '')
    .action((options: ClockOptions) => acceptStoreClock(options, environment, out));
  return new Command('store')
    .description('what operators do to the store')
    .addCommand(accept)
    .addCommand(clock);
}

export async function acceptLosses(
  { config: file, org = [], all = false, reason }: AcceptOptions,
  environment: Environment,
  out: StoreOutput,
): Promise<void> {
  const { store, orgs, quotas } = readConfig(file, environment);
  if (!('redis' in store))
    throw new Error('the config has no store.redis: an embedded ledger loses nothing that it knows of');
  if (all === org.length > 0) throw new Error('name the orgs with --org, or say --all');
  const ledger = await openLedger(store, pino({ level: 'silent' }));
  try {
    await claimStore(ledger, quotas);
    const ids = all ? await lostOrgs(ledger) : org;
    if (ids.length === 0) out.write('no org is marked as lost\n');
    const unknown: string[] = [];
    for (const id of ids) {
      const accepted = await acceptLoss(ledger, id, orgs[id], quotas, reason);
      out.write(`${id}: ${TOLD[accepted]}\n`);
      if (accepted === 'unknown') unknown.push(id);
    }
    if (unknown.length > 0) throw new Error(`nothing is known of ${unknown.join(', ')}`);
  } finally {
    await ledger.close();
  }
}

/** An embedded store is opened by one process: the gateway has to be stopped for it, and takes any time when it starts. */
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
    out.write(`the time of the store is ${instant(clock)}; gateways take it within seconds\n`);
    for (const { org, from } of setBack)
      out.write(`${org}: its time was ${instant(from)} and is set back; its cycle stays as it is\n`);
  } finally {
    await ledger.close();
  }
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
