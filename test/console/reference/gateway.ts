/** The gateway behind the tests of `docs/reference-pages.md`: three quotas, a real mail server, and models of a provider and own ones. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { startSampleAi } from '../../../src/demo/sample-ai/index.js';
import { as, ask } from '../../support/gateway.js';
import { LOGIN, startSmtp, type TestSmtp } from '../../support/smtp.js';
import { type Console, MARKUP, showPage, startConsole } from '../console.js';

const ORGS = `
  acme:
    name: Acme Maps
    seats: 5
    cycle: { every: month, anchor: 20, timeZone: Europe/Madrid }
    plans: { usage: { allowance: 5000 }, lds: { allowance: 1000 }, ai: { allowance: 100000 } }
    groups: { analysts: { name: Analysts }, eng: { name: Engineering } }
    users:
      ann: { name: Ann Smith, email: ann@acme.example, role: admin, groups: [analysts] }
      ben: { name: Ben, email: ben@acme.example, groups: [analysts, eng] }
      eve: { name: ${JSON.stringify(MARKUP)}, email: eve@acme.example }
    limits:
      - { user: ann, quota: usage, percent: 20 }
      - { user: ben, quota: usage, units: 20 }
      - { group: analysts, quota: usage, units: 3000 }
  globex:
    name: Globex
    cycle: { every: month, anchor: 1, timeZone: UTC }
    plans: { usage: { allowance: 100 } }
`;

const ROUTES = `
  - { match: 'GET /v3/sql', action: sql, upstream: up, charges: [{ quota: usage, units: 10 }] }
  - { match: 'GET /v3/map', action: map, upstream: up, charges: [{ quota: usage, gate: true }] }
  - { match: 'POST /v3/geocoding', action: geocoding, upstream: up, charges: [{ quota: lds, units: 1 }] }
  - { match: 'POST /v3/routing', action: routing, upstream: up, charges: [{ quota: lds, units: 1 }] }
  - { match: 'POST /v3/isolines', action: isolines, upstream: up, charges: [{ quota: lds, units: 1 }] }
  - { match: 'POST /v1/chat/completions', action: chat, upstream: provider, charges: [{ quota: ai, llm: { api: openai-chat } }] }
  - { match: 'POST /api/*', action: chat, upstream: own, charges: [{ quota: ai, llm: { api: ollama } }] }
`;

/** Requests of each quota. */
export type Call = 'sql' | 'map' | 'geocoding' | 'routing' | 'isolines' | 'managed' | 'own';

interface Request {
  readonly method?: 'POST';
  readonly path: string;
  readonly body?: string;
}

const messages = [{ role: 'user', content: 'Where is the sea?' }];
const CALLS: Readonly<Record<Call, Request>> = {
  sql: { path: '/v3/sql' },
  map: { path: '/v3/map' },
  geocoding: { method: 'POST', path: '/v3/geocoding' },
  routing: { method: 'POST', path: '/v3/routing' },
  isolines: { method: 'POST', path: '/v3/isolines' },
  managed: {
    method: 'POST',
    path: '/v1/chat/completions',
    body: JSON.stringify({ model: 'managed-1', messages, stream: false }),
  },
  own: {
    method: 'POST',
    path: '/api/chat',
    body: JSON.stringify({ model: 'own-1', messages, stream: false }),
  },
};

export interface Reference extends Console {
  readonly smtp: TestSmtp;
  /** A page of an admin of all orgs. */
  readonly page: Page;
  /** Shows a page of an org. */
  show(path: string, org?: string): Promise<void>;
  /** One request of each kind, in turn: their statuses. */
  ask(user: string, ...calls: readonly Call[]): Promise<number[]>;
  /** The body of a read of the API, below the org. */
  read<Body>(path: string): Promise<Body>;
}

/** One test per number. */
export interface Shown {
  readonly number: string;
  /** The page, or the pages, of the console. */
  readonly page: string;
  /** What it shows. */
  readonly title: string;
  readonly test: (t: Test, at: Reference) => Promise<void>;
}

export async function startReference(t: Test): Promise<Reference> {
  const folder = await mkdtemp(join(tmpdir(), 'quotagate-test-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const models = await startSampleAi();
  t.teardown(() => models.close());
  const smtp = await startSmtp(t);
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, smtp.ca);
  const mail = { host: 'localhost', port: smtp.port, caFile, from: 'quota@acme.example', ...LOGIN };
  const running = await startConsole({
    orgs: ORGS,
    routes: ROUTES,
    upstreams: { provider: { url: models.url }, own: { url: models.url } },
    quotas: `  ai: { unit: tokens }\nmodels: [{ match: managed-1 }, { match: own-1 }]\nsmtp: ${JSON.stringify(mail)}`,
  });
  t.teardown(() => running.close());
  const page = await running.open('orgs/acme/overview');
  await page.getByRole('heading', { name: 'Acme Maps' }).waitFor();
  return {
    ...running,
    smtp,
    page,
    show: (path, org = 'acme') => showPage(page, `${running.url}orgs/${org}/${path}`),
    ask: async (user, ...calls) => {
      const statuses: number[] = [];
      for (const call of calls) {
        const { path, ...request } = CALLS[call];
        const headers = { ...as(user), 'content-type': 'application/json' };
        statuses.push((await ask(running.gateway.gateway, path, { ...request, headers })).status);
      }
      return statuses;
    },
    read: async <Body>(path: string) => (await running.api('GET', `/orgs/acme/${path}`)).body as Body,
  };
}
