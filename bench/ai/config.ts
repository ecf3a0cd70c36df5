/** Config of the gateways in front of the AI upstream: one counts tokens, one has no quota. */
import { USERS } from '../gateway/config.js';
import type { GatewayOptions } from '../gateway/start.js';

const MATCH = `match: 'POST /v1/chat/completions', action: chat, upstream: up`;

export const TOKENS = `
  - { ${MATCH}, charges: [{ quota: ai, llm: { api: openai-chat } }] }
`;
export const NO_TOKENS = `
  - { ${MATCH}, charges: [] }
`;

const users = Array.from({ length: USERS }, (_, index) => `u${index}`);

export function aiConfig(upstream: string): Omit<GatewayOptions, 'name'> {
  return {
    upstream,
    upstreams: { up: { url: upstream, connections: 4_096 } },
    quotas: '  ai: { unit: tokens }',
    orgs: `
  ai:
    cycle: { every: year, anchor: 101, timeZone: UTC }
    plans: { ai: { allowance: 1000000000000 } }
    groups: { g1: {} }
    users:
${users.map((user) => `      ${user}: { groups: [g1] }`).join('\n')}
    limits:
      - { group: g1, quota: ai, percent: 90 }
${users.map((user) => `      - { user: ${user}, quota: ai, units: 10000000000 }`).join('\n')}
`,
  };
}
