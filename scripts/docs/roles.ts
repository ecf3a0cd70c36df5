/** `docs/reference/roles.md`, generated from the rules of the admin API. */
import { type Reach, ROLES } from '../../src/admin/access/roles.js';
import { ROLE_TABLE } from '../../src/admin/endpoints.js';
import { markdownTable } from './table.js';

const REACHES: Record<Reach, string> = {
  path: 'the one in the path',
  own: 'its own only',
  all: 'all orgs',
  none: 'needs no token',
};

const HEAD = `# Roles

Generated from \`src/admin/access/roles.ts\` by \`npm run docs\`. The guide: [admin API](../admin-api.md#tokens-and-roles).

The column *orgs* says what a token must cover: the org in the path; or all orgs; or any org, and it reaches nothing outside its own.
Other orgs are answered with 404, a role that may not call an endpoint with 403 \`token-forbidden\`.

`;

export function rolesPage(): string {
  const head = ['endpoint', ...ROLES, 'orgs'];
  const rows = Object.entries(ROLE_TABLE).map(([endpoint, { roles, reach }]) => {
    const cells = ROLES.map((role) => (roles.includes(role) ? 'yes' : '–'));
    // As it is written elsewhere: {org}, not :org.
    return [`\`${endpoint.replace(/:(\w+)/g, '{$1}')}\``, ...cells, REACHES[reach]];
  });
  return HEAD + markdownTable([head, ...rows]);
}
