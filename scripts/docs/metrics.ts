/** The table of metrics, made from what `Metrics` builds: the README holds it between two marks, and a test holds it there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Metrics } from '../../src/observe/metrics.js';

const BEGIN = '<!-- metrics: generated from metrics.ts -->';
const END = '<!-- /metrics -->';
const HEAD = ['metric', 'type', 'labels', 'meaning'];

/** The text with the table between its marks brought up to date. */
export function withMetrics(readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the text lacks the marks ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${metricsTable()}\n${readme.slice(end)}`;
}

export function updateReadme(file: string): void {
  writeFileSync(file, withMetrics(readFileSync(file, 'utf8')));
}

export function metricsTable(): string {
  const { rows } = new Metrics({ quotas: {}, state: () => undefined });
  const cells = rows.map(({ name, type, labels = [], help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', ') || 'none',
    help,
  ]);
  // In columns, as the formatter of this repository wants Markdown.
  const widths = HEAD.map((title, at) => Math.max(title.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  const lines = [HEAD, rule, ...cells].map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)));
  return lines.map((row) => `| ${row.join(' | ')} |\n`).join('');
}
