/** The role table of the README, made from roles.ts: it stands between two marks, and a test holds it there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Reach, ROLES, RULES } from '../../src/admin/access/roles.js';

const BEGIN = '<!-- roles: generated from roles.ts -->';
const END = '<!-- /roles -->';

const REACHES: Record<Reach, string> = {
  path: 'the one in the path',
  own: 'the token’s, nothing of others',
  all: 'all together',
};

/** The text with the table between its marks brought up to date. */
export function withRoles(readme: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`the text lacks the marks ${BEGIN} and ${END}`);
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${rolesTable()}\n${readme.slice(end)}`;
}

export function updateReadme(file: string): void {
  writeFileSync(file, withRoles(readFileSync(file, 'utf8')));
}

function rolesTable(): string {
  const head = ['endpoint', ...ROLES, 'orgs'];
  const rows = Object.entries(RULES).map(([endpoint, { roles, reach }]) => {
    const cells = ROLES.map((role) => (roles.includes(role) ? 'yes' : '–'));
    // As it is written elsewhere: {org}, not :org.
    return [`\`${endpoint.replace(/:(\w+)/g, '{$1}')}\``, ...cells, REACHES[reach]];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const rule = widths.map((width) => '-'.repeat(width));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return [head, rule, ...rows].map(line).join('');
}
