/** Config of all gateways in the bench: a user limit, one group limit and the pool. None of them is ever reached. */
export const USERS = 100;
export const PATH = '/v3/maps/4/8/5';

export const STRICT = `
  - { match: 'GET /v3/maps/*', action: maps, upstream: up, charges: [{ quota: usage, units: 0.1 }] }
`;
export const NO_QUOTA = `
  - { match: 'GET /v3/maps/*', action: maps, upstream: up, charges: [] }
`;

/** In the org `spent`, the limit of each user allows one request. */
export const ORGS = orgText('bench', '100000000') + orgText('spent', '0.1');

function orgText(org: string, units: string): string {
  const users = Array.from({ length: USERS }, (_, index) => `u${index}`);
  return `
  ${org}:
    cycle: { every: year, anchor: 101, timeZone: UTC }
    plans: { usage: { allowance: 100000000000 } }
    groups: { g1: {} }
    users:
${users.map((user) => `      ${user}: { groups: [g1] }`).join('\n')}
    limits:
      - { group: g1, quota: usage, percent: 90 }
${users.map((user) => `      - { user: ${user}, quota: usage, units: ${units} }`).join('\n')}
`;
}

/** Headers of a user's requests. */
export type HeadersOf = (user: number) => Record<string, string>;

export const trusted =
  (org = 'bench'): HeadersOf =>
  (user) => ({ 'x-quota-org': org, 'x-quota-user': `u${user}` });
