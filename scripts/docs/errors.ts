/** The README of the errors, made from the catalogue, so that the two cannot differ. */
import { CATALOGUE, type CatalogueEntry } from '../../src/errors/catalogue.js';

const HEAD = `# Errors

Generated from \`catalogue.ts\` by \`npm run docs\`; a test compares the two.

Every error is \`application/problem+json\` (RFC 9457): \`type\`, \`title\` (the meaning below), \`status\`,
\`detail\`, \`code\`. The gateway's own answers carry \`QuotaGate-Error: <code>\`; an answer without it is the
upstream's.

A refusal for want of budget (\`quota-exceeded\`, \`budget-held\`) also says \`violated-policies\`, \`quota\`,
\`scope\`, \`subject\`, \`action\`, \`limit\`, \`consumed\`, \`held\`, \`requested\` (in the quota's units) and
\`resetsAt\`. If several limits are violated, the figures are of the first that bears the refusal out: the user's
own, then the groups', then the organization's. \`quota-exceeded\` comes with \`Retry-After\` up to the reset and
\`X-Should-Retry: false\`: official SDKs then try once, not three times. \`budget-held\` comes with a
\`Retry-After\` of 1 to 5 seconds, and so do the errors with status 503.

`;

const COLUMNS = ['code', 'status', 'meaning', 'cause', 'remedy'];

export function errorsReadme(): string {
  const rows = Object.entries<CatalogueEntry>(CATALOGUE).map(([code, { status, title, cause, remedy }]) =>
    [`\`${code}\``, String(status), title, cause, remedy].map(cell),
  );
  return HEAD + table([COLUMNS, ...rows]);
}

/** Padded, as the formatter wants it. The first row is the head. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  const rule = widths.map((width) => '-'.repeat(width));
  const [head = [], ...body] = rows;
  return [head, rule, ...body].map(line).join('');
}

function cell(text: string): string {
  return text.replace(/[|<]/g, '\\$&');
}
