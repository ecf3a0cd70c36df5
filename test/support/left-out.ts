/** Prints every skipped test of a run with its reason. `node left-out.js <file>`: the file is the run's TAP output. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SUBTEST = /^( *)# Subtest: (.*)$/;
const SKIPPED = /^( *)(?:not )?ok \d+ - (.*?) # SKIP ?(.*)$/i;

/** Names of the skipped tests, by reason. */
export function leftOut(tap: string): Map<string, string[]> {
  const path: string[] = [];
  const byReason = new Map<string, string[]>();
  for (const line of tap.split('\n')) {
    const subtest = SUBTEST.exec(line);
    if (subtest) {
      path.length = (subtest[1] ?? '').length / 4;
      path.push(subtest[2] ?? '');
      continue;
    }
    const skipped = SKIPPED.exec(line);
    if (!skipped) continue;
    const [, indent = '', name = '', reason = ''] = skipped;
    const parents = path.slice(0, indent.length / 4).map((one) => one.replace(/^dist\/(.*)\.js$/, '$1.ts'));
    const key = reason === '' ? 'no reason given' : reason;
    byReason.set(key, [...(byReason.get(key) ?? []), [...parents, name].join(' › ')]);
  }
  return byReason;
}

function report(byReason: Map<string, string[]>): string {
  const total = [...byReason.values()].reduce((sum, names) => sum + names.length, 0);
  if (total === 0) return 'No test was left out.\n';
  const groups = [...byReason].map(
    ([reason, names]) => `  ${reason}:\n${names.map((name) => `    ${name}\n`).join('')}`,
  );
  return `${total} tests were left out:\n${groups.join('')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(report(leftOut(readFileSync(process.argv[2] ?? '', 'utf8'))));
