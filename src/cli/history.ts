/** `quotagate verify` and `quotagate stats`: what the store that the config names has recorded, org by org. */
import { Command } from 'commander';
import { pino } from 'pino';
import { openLedger } from '../app/build-ledger.js';
import type { Environment } from '../config/environment.js';
import { readConfig } from '../config/load.js';
import { type Verified, verifyOrg } from '../history/verify.js';
import type { Ledger } from '../ledger/port.js';
import { claimStore } from '../ledger/store-meta.js';
import { figuresOf } from '../ledger/view/limit-lines.js';
import { readOrg } from '../ledger/view/org-view.js';
import { lineOf } from '../quota/id.js';
import { formatUnits, type Quotas } from '../quota/units.js';

interface Output {
  write(text: string): unknown;
}

interface Options {
  readonly config: string;
  readonly json?: boolean;
}

interface CommandContext {
  readonly environment: Environment;
  readonly out: Output;
  readonly configFile: string;
}

export function verifyCommand({ environment, out, configFile }: CommandContext): Command {
  return new Command('verify')
    .description('compare the counters of each org with its journal and history; exit code 1 if they differ')
    .option('-c, --config <file>', 'config file', configFile)
    .option('--json', 'print JSON')
    .action(async (options: Options) => {
      if (!(await verify(options, environment, out))) process.exitCode = 1;
    });
}

export function statsCommand({ environment, out, configFile }: CommandContext): Command {
  return new Command('stats')
    .description('print seats, and what each org has consumed and holds in the present cycle')
    .option('-c, --config <file>', 'config file', configFile)
    .option('--json', 'print JSON')
    .action((options: Options) => stats(options, environment, out));
}

/** Returns whether all counters are as they were recorded. */
async function verify({ config, json }: Options, environment: Environment, out: Output): Promise<boolean> {
  const orgs = await overOrgs({ config, environment }, (ledger, org) => verifyOrg(ledger, org));
  if (json) out.write(`${JSON.stringify({ orgs })}\n`);
  else for (const org of orgs) out.write(verifiedText(org));
  return orgs.every(({ differences }) => differences.length === 0);
}

function verifiedText({ org, lines, differences }: Verified): string {
  if (differences.length === 0) return `${org}: ${lines} counters agree with journal and history\n`;
  const rows = differences.map(
    ({ line, consumed, recorded }) => `  ${line}: consumed ${consumed}, recorded ${recorded}\n`,
  );
  return `${org}: ${differences.length} of ${lines} counters differ from journal and history (smallest units)\n${rows.join('')}`;
}

async function stats({ config, json }: Options, environment: Environment, out: Output): Promise<void> {
  const orgs = await overOrgs({ config, environment }, statsOf);
  if (json) {
    out.write(`${JSON.stringify({ orgs })}\n`);
    return;
  }
  for (const { org, seatsUsed, seats, cycle, quotas } of orgs) {
    out.write(
      `${org}: ${seatsUsed} of ${seats ?? 'unlimited'} seats, cycle ${cycle.start} to ${cycle.end}\n`,
    );
    for (const { quota, consumed, held, pool } of quotas)
      out.write(`  ${quota}: consumed ${consumed} of ${pool}, held ${held}\n`);
  }
}

async function statsOf(ledger: Ledger, org: string, definitions: Quotas) {
  const fields = [...definitions.keys()].map((quota) => lineOf(quota, 'org', ''));
  const view = await readOrg({ ledger, quotas: definitions }, org, (start) => [
    { table: `consumed:${start}`, fields },
    { table: `held:${start}`, fields },
  ]);
  const quotas = [...view.pools].map(([quota, { units }]) => {
    const { decimals } = definitions.get(quota) ?? { decimals: 0 };
    const { consumed, held } = figuresOf(view, lineOf(quota, 'org', ''));
    const shown = (amount: number): number => formatUnits(amount, decimals);
    return { quota, consumed: shown(consumed), held: shown(held), pool: shown(units) };
  });
  const cycle = {
    start: new Date(view.cycle.start).toISOString(),
    end: new Date(view.cycle.end).toISOString(),
  };
  return { org, seatsUsed: view.seatsUsed, seats: view.seats ?? null, cycle, quotas };
}

interface Source {
  readonly config: string;
  readonly environment: Environment;
}

/** An embedded store is opened by one process: stop the gateway first. */
async function overOrgs<Answer>(
  { config, environment }: Source,
  ask: (ledger: Ledger, org: string, quotas: Quotas) => Promise<Answer>,
): Promise<Answer[]> {
  const { store, quotas } = readConfig(config, environment);
  const ledger = await openLedger(store, pino({ level: 'silent' }));
  try {
    await claimStore(ledger, quotas);
    const definitions: Quotas = new Map(Object.entries(quotas));
    const answers: Answer[] = [];
    for (const org of (await ledger.orgs()).sort()) answers.push(await ask(ledger, org, definitions));
    return answers;
  } finally {
    await ledger.close();
  }
}
