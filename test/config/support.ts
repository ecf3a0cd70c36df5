/** What the config tests share. */

import type { Environment } from '../../src/config/environment.js';
import { ConfigError, type Mistake } from '../../src/config/issues.js';
import { loadConfig } from '../../src/config/load.js';

/** The mistakes of a text; none where it loads. */
export function mistakesOf(text: string, environment: Environment = {}): readonly Mistake[] {
  try {
    loadConfig(text, environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

export function linesOf(mistakes: readonly Mistake[]): string[] {
  return mistakes.map(
    ({ line, column, path, message, hint, variable }) =>
      `${variable ?? `${line}:${column}`} ${path}: ${message} – ${hint}`,
  );
}

/** The example of the product's description. */
export const EXAMPLE = `
server:   { gateway: 0.0.0.0:8080, admin: 127.0.0.1:9080, ops: 0.0.0.0:9091 }
store:                                  # left out: embedded, persisted under ./data
  redis: redis://localhost:6379
  deadlineMs: 50
  whenDown: closed
identity:
  trusted: { peers: [127.0.0.1/32], org: x-quota-org, user: x-quota-user, groups: x-quota-groups }
  unknownUsers: register                # register | deny
quotas:
  usage: { unit: units, decimals: 1 }
  lds:   { unit: calls }
  ai:    { unit: tokens }
upstreams:
  maps:   { url: http://maps:3000 }
  openai: { url: https://llm.internal, setHeaders: { authorization: { file: /run/secrets/llm } } }
routes:
  - match: GET /v3/maps/*
    action: maps
    upstream: maps
    charges: [ { quota: usage, units: 0.1 } ]
  - match: POST /v3/lds/geocoding
    action: geocoding
    upstream: maps
    charges:
      - { quota: lds,   units: { jsonLength: /addresses } }
      - { quota: usage, units: 0.1 }
  - match: OPTIONS /*                   # free and anonymous: CORS preflight
    identity: none
    upstream: maps
    charges: []
  - match: POST /v1/chat/completions
    action: chat
    upstream: openai
    charges:
      - { quota: ai, llm: { api: openai-chat, whenShort: clamp } }
      - { quota: usage, gate: true }
orgs:                                   # created at first start; from then on the admin API owns them
  acme:
    seats: 3
    cycle: { every: month, anchor: 20, timeZone: Europe/Madrid }
    plans: { usage: { allowance: 5000, mode: hard }, lds: { allowance: 1000 }, ai: { allowance: 2000000, mode: soft } }
`;
