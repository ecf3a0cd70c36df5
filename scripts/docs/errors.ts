/** `docs/reference/errors.md`, generated from the catalogue. */
import { CATALOGUE, type CatalogueEntry } from '../../src/errors/catalogue.js';
import { markdownTable } from './table.js';

const HEAD = `# Errors

Generated from \`src/errors/catalogue.ts\` by \`npm run docs\`.

Every error is \`application/problem+json\` (RFC 9457): \`type\`, \`title\` (the column *meaning*), \`status\`, \`detail\` and \`code\`. An
answer of the gateway has the header \`QuotaGate-Error: <code>\`. An answer without it comes from the upstream.

\`quota-exceeded\` and \`budget-held\` also have \`violated-policies\`, \`quota\`, \`scope\`, \`subject\`, \`action\`, \`limit\`,
\`consumed\`, \`held\`, \`requested\` (in units of the quota), \`resetsAt\` and, with \`raiseRequests: true\`, \`raiseRequests\`: [how to read them](../troubleshooting.md#read-a-refusal).

- \`quota-exceeded\` has \`Retry-After\` up to the reset and \`X-Should-Retry: false\`, so official SDKs do not retry.
- \`budget-held\` and errors with status 503 have a \`Retry-After\` of 1 to 5 seconds.

`;

const COLUMNS = ['code', 'status', 'meaning', 'cause', 'remedy'];

export function errorsPage(): string {
  const rows = Object.entries<CatalogueEntry>(CATALOGUE).map(([code, { status, title, cause, remedy }]) =>
    [`\`${code}\``, String(status), title, cause, remedy].map(cell),
  );
  return HEAD + markdownTable([COLUMNS, ...rows]);
}

function cell(text: string): string {
  return text.replace(/[|<]/g, '\\$&');
}
