/**
 * `npm run faults`: runs every fault for ten seconds under load. `npm run faults -- 20 stopped` runs the faults whose name contains
 * `stopped`, for 20 seconds. A fault is repeated where the machine was too busy for its latencies to mean anything, that is, where
 * requests that need no store were slow too. The first requests of fresh gateways come first, fail-overs and a slot that moves last; each
 * lasts as long as it does. Everything runs in a network of its own, where partitions are possible.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { tryDelivery } from '../notify/delivery-trial.js';
import { ClusterSet } from '../support/cluster.js';
import { isInOwnNetwork, ownNetwork, skipWithoutNetworks, startLoopback } from '../support/network.js';
import { type FailoverTrial, RECOVERY_MAX_MS } from './failover.js';
import { FAILOVERS } from './failovers.js';
import { FAULTS } from './faults.js';
import { FIRST_REQUESTS, tryFirstRequests } from './first-requests.js';
import { tryMigration } from './migration.js';
import { DEADLINE_MS, OPEN_UNITS } from './store-setup.js';
import { type Times, type Trial, tryFault } from './trial.js';

if (!isInOwnNetwork) {
  const missing = skipWithoutNetworks();
  if (missing !== false) throw new Error(missing);
  const { command, args, env } = ownNetwork(process.execPath, [
    fileURLToPath(import.meta.url),
    ...process.argv.slice(2),
  ]);
  process.exit(spawnSync(command, args, { env, stdio: 'inherit' }).status ?? 1);
}
startLoopback();

const seconds = Number(process.argv[2] ?? 10);
const only = process.argv[3] ?? '';
const head = [
  'fault',
  'answers',
  'p50/p99/max ms',
  'late',
  'by the store',
  'free p50/p99/max',
  'recovered after',
  'open',
  'outages',
  'over',
  'counters',
];
/** On an idle machine, requests that need no store take a few milliseconds. */
const CALM_P99_MS = 15;
const TRIES_MAX = 3;

const FIRST = 'first 5,000 requests of four fresh gateways';
/** The first, because the load average counts the last minute. */
let failed = false;
if (FIRST.includes(only)) await runFirstRequests();

const rows: string[][] = [head];
for (const fault of FAULTS.filter(({ name }) => name.includes(only))) {
  for (let tries = 1; ; tries += 1) {
    const trial = await tryFault(fault, { faultMs: seconds * 1_000, afterwardsMs: 2_500 });
    const calm = isCalm(trial);
    failed ||= isWrong(trial) || isLate(trial);
    rows.push([calm ? fault.name : `${fault.name} (busy machine)`, ...cellsOf(trial)]);
    process.stdout.write(`${rows.at(-1)?.join(' | ')}\n`);
    if (calm || tries === TRIES_MAX) break;
  }
}
process.stdout.write(
  `\n${seconds} s each, deadline ${DEADLINE_MS} ms, open mode admits up to ${OPEN_UNITS} requests per outage; ` +
    'late: more than 20 ms past the deadline; by the store: also after the latency of concurrent free requests is subtracted\n',
);
const widths = head.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
for (const row of rows)
  process.stdout.write(`${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}\n`);
for (const { name, run, recoveryMaxMs: maxMs } of FAILOVERS.filter((one) => one.name.includes(only))) {
  const trial = await run();
  failed ||= trial.wrong.length > 0 || trial.recoveredMs > (maxMs ?? RECOVERY_MAX_MS) || isLate(trial);
  process.stdout.write(`${[name, ...failoverCells(trial)].join(' | ')}\n`);
}
const MIGRATION = 'cluster: a slot with 100,000 fields moves';
if (MIGRATION.includes(only)) await runMigration();
const NOTICES = 'notices: the SMTP server is down for a minute, a gateway is killed';
if (NOTICES.includes(only)) await runNotices();
process.exit(failed ? 1 : 0);

async function runMigration(): Promise<void> {
  const set = await ClusterSet.start(1);
  try {
    const trial = await tryMigration(set, { fields: 100_000, pauseMs: 40 });
    failed ||= trial.wrong.length > 0 || isLate(trial);
    const { movedMs, longestMs, times, freeTimes, afterwards, meanwhile } = trial;
    const cells = [
      `${Math.round(movedMs)} ms, longest MIGRATE ${Math.round(longestMs)} ms`,
      `meanwhile ${JSON.stringify(meanwhile)}, after ${JSON.stringify(afterwards)}`,
      `${latenciesOf(times)} ms, ${times.lateByStore} late by the store (free ${latenciesOf(freeTimes)})`,
      trial.wrong.length === 0 ? 'correct' : trial.wrong.join('; '),
    ];
    process.stdout.write(`${[MIGRATION, ...cells].join(' | ')}\n`);
  } finally {
    await set.close();
  }
}

async function runNotices(): Promise<void> {
  const trial = await tryDelivery({ users: 500, refusedOnly: 50, downMs: 60_000, loadMs: 60_000 });
  failed ||= trial.wrong.length > 0;
  const { notices, messages, repeated, deliveredMs, wrong } = trial;
  const cells = [
    `${notices} notices in ${messages} messages, ${repeated} sent twice`,
    `all delivered ${Math.round(deliveredMs / 1_000)} s after the outage`,
    wrong.length === 0 ? 'correct' : wrong.slice(0, 10).join('; '),
  ];
  process.stdout.write(`${[NOTICES, ...cells].join(' | ')}\n`);
}

async function runFirstRequests(): Promise<void> {
  // Others must not need the cores: the gateways and their clients fill them.
  const isIdle = (loadavg()[0] ?? 0) < availableParallelism();
  const { statuses, seconds } = await tryFirstRequests();
  failed ||= isIdle && statuses[200] !== FIRST_REQUESTS;
  const name = isIdle ? FIRST : `${FIRST} (busy machine)`;
  process.stdout.write(`${name} | ${JSON.stringify(statuses)} | ${seconds.toFixed(1)} s\n`);
}

function isCalm({ freeTimes }: Pick<Trial, 'freeTimes'>): boolean {
  return freeTimes.p99 <= CALM_P99_MS;
}

function isLate(trial: Pick<Trial, 'freeTimes' | 'times'>): boolean {
  return isCalm(trial) && trial.times.lateByStore > 0;
}

function isWrong({ over, wrong, open, outages }: Trial): boolean {
  return over > 0 || wrong.length > 0 || open > OPEN_UNITS * outages;
}

function cellsOf(trial: Trial): string[] {
  const answers = Object.entries(trial.statuses).map(([status, count]) => `${count} × ${status}`);
  const counters = trial.wrong.length === 0 ? 'correct' : trial.wrong.join('; ');
  const recovered = `${Math.round(trial.recoveredMs)} ms`;
  return [
    answers.join(', '),
    latenciesOf(trial.times),
    String(trial.times.late),
    String(trial.times.lateByStore),
    latenciesOf(trial.freeTimes),
    recovered,
    String(trial.open),
    String(trial.outages),
    String(trial.over),
    counters,
  ];
}

function failoverCells(trial: FailoverTrial): string[] {
  const answers = Object.entries(trial.statuses).map(([status, count]) => `${count} × ${status}`);
  return [
    answers.join(', '),
    `${latenciesOf(trial.times)} ms, ${trial.times.lateByStore} late by the store (free ${latenciesOf(trial.freeTimes)})`,
    `elected after ${Math.round(trial.electedMs)} ms, served ${Math.round(trial.recoveredMs)} ms later`,
    `${trial.rolledBack} alarms, ${trial.lostCalls} calls lost`,
    trial.wrong.length === 0 ? 'correct' : trial.wrong.join('; '),
  ];
}

function latenciesOf({ p50, p99, max }: Times): string {
  return [p50, p99, max].map((ms) => ms.toFixed(0)).join('/');
}
