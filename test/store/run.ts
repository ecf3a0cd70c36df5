/** `npm run faults`: every fault for ten seconds under load (`npm run faults -- 20 stopped`: longer, and only those named so). */
import { DEADLINE_MS, OPEN_UNITS } from './bed.js';
import { FAULTS } from './faults.js';
import { type Times, type Trial, tryFault } from './trial.js';

const seconds = Number(process.argv[2] ?? 10);
const only = process.argv[3] ?? '';
const head = [
  'fault',
  'answers',
  'p50/p99/max ms, late',
  'without store',
  'back after',
  'open',
  'outages',
  'over',
  'books',
];
const rows: string[][] = [head];
let failed = false;
for (const fault of FAULTS.filter(({ name }) => name.includes(only))) {
  const trial = await tryFault(fault, seconds * 1_000);
  failed ||= trial.over > 0 || trial.wrong.length > 0 || trial.open > OPEN_UNITS * trial.outages;
  rows.push([fault.name, ...cellsOf(trial)]);
  process.stdout.write(`${fault.name}: ${cellsOf(trial).join(' | ')}\n`);
}
process.stdout.write(
  `\n${seconds} s each, deadline ${DEADLINE_MS} ms, open mode up to ${OPEN_UNITS} requests an outage\n`,
);
const widths = head.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
for (const row of rows)
  process.stdout.write(`${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}\n`);
process.exit(failed ? 1 : 0);

function cellsOf(trial: Trial): string[] {
  const answers = Object.entries(trial.statuses).map(([status, count]) => `${count} × ${status}`);
  const books = trial.wrong.length === 0 ? 'right' : trial.wrong.join('; ');
  const back = `${Math.round(trial.recoveredMs)} ms`;
  return [
    answers.join(', '),
    told(trial.times),
    told(trial.freeTimes),
    back,
    String(trial.open),
    String(trial.outages),
    String(trial.over),
    books,
  ];
}

function told({ p50, p99, max, late }: Times): string {
  return `${[p50, p99, max].map((ms) => ms.toFixed(0)).join('/')}, ${late}`;
}
