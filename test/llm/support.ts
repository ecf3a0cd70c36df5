/** The sample of the AI providers behind a gateway, and the figures of its org. */
import type { Test } from 'tap';
import type { Addresses } from '../../src/app/running.js';
import {
  type SampleAi,
  type SampleEntry,
  startSampleAi,
  type Usage,
} from '../../src/demo/sample-ai/index.js';
import { comesTo } from '../e2e/load.js';
import { admin, as, ask, type ConfigParts, startGateway } from '../support/gateway.js';
import type { Api } from './client.js';

export const MATCHES: Readonly<Record<Api, string>> = {
  'openai-chat': 'POST /v1/chat/completions',
  'openai-completions': 'POST /v1/completions',
  'openai-responses': 'POST /v1/responses',
  'openai-embeddings': 'POST /v1/embeddings',
  'openai-images': 'POST /v1/images/*',
  'openai-audio': 'POST /v1/audio/*',
  'azure-openai': 'POST /openai/deployments/*',
  'anthropic-messages': 'POST /v1/messages',
  gemini: 'POST /v1beta/models/*',
  ollama: 'POST /api/*',
  cohere: 'POST /v2/*',
  bedrock: 'POST /model/*',
  'vertex-ai': 'POST /v1/projects/*',
};

export const QUOTAS = `
  ai: { unit: tokens }
  credits: { unit: credits, decimals: 3 }`;

/** Only output counts, and a token is as long as the sample's. */
export const OUTPUT_ONLY = 'bytesPerToken: 4, weights: { input: 0, cachedInput: 0, cacheWrite: 0 }';

/** A route for each API, charged on `ai`; `llm`: more settings of the meter. */
export function routesOf(llm: string): string {
  const routes = Object.entries(MATCHES).map(
    ([api, match]) =>
      `  - { match: '${match}', action: ${api}, upstream: up, charges: [{ quota: ai, llm: { api: ${api}, ${llm} } }] }`,
  );
  return `\n${routes.join('\n')}\n`;
}

export function orgsOf(allowance: number, mode = 'hard'): string {
  return `
  acme:
    plans:
      ai: { allowance: ${allowance}, mode: ${mode} }
      credits: { allowance: ${allowance} }
      usage: { allowance: ${allowance} }
`;
}

export interface Figure {
  readonly consumed: number;
  readonly held: number;
}

export interface Bed extends Addresses {
  readonly sample: SampleAi;
  /** Where clients call. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  figures(quota?: string): Promise<Figure>;
  /** Nothing is held any more, and so much is consumed. */
  settles(t: Test, consumed: number, what: string, quota?: string): Promise<void>;
  /** Resolves when nothing is held any more: what is consumed then. */
  settled(t: Test, quota?: string): Promise<number>;
  /** The sample's last request. */
  last(): SampleEntry;
  /** Gives the user a hard limit on `ai`. */
  limit(user: string, units: number): Promise<void>;
  /** Requests that the gateway has refused. */
  refusals(): Promise<number>;
}

export interface BedParts extends Partial<ConfigParts> {
  readonly llm?: string;
  readonly allowance?: number;
}

export async function setUp(
  t: Test,
  { llm = '', allowance = 1_000_000, ...parts }: BedParts = {},
): Promise<Bed> {
  const sample = await startSampleAi();
  const gateway = await startGateway({
    upstream: sample.url,
    orgs: orgsOf(allowance),
    routes: routesOf(llm),
    quotas: QUOTAS,
    ...parts,
  });
  t.teardown(async () => {
    await gateway.close();
    await sample.close();
  });
  return bedOf(sample, gateway);
}

export function bedOf(sample: SampleAi, at: Addresses, headers = as('ana')): Bed {
  const figures = async (quota = 'ai'): Promise<Figure> => {
    const { body } = await admin(at.admin, 'GET', '/orgs/acme/usage');
    const { org } = body as { org: ({ quota: string } & Figure)[] };
    const { consumed, held } = org.find((one) => one.quota === quota) ?? { consumed: -1, held: -1 };
    return { consumed, held };
  };
  return {
    sample,
    url: `http://${at.gateway}`,
    ...at,
    headers,
    figures,
    settles: (t, consumed, what, quota) => comesTo(t, () => figures(quota), { consumed, held: 0 }, what),
    async settled(t, quota) {
      await comesTo(t, async () => (await figures(quota)).held, 0, 'nothing is held');
      return (await figures(quota)).consumed;
    },
    last() {
      const entry = sample.log.at(-1);
      if (entry === undefined) throw new Error('nothing has come');
      return entry;
    },
    async limit(user, units) {
      await admin(at.admin, 'POST', '/orgs/acme/users', { id: user });
      const { status } = await admin(at.admin, 'POST', '/orgs/acme/limits', { user, quota: 'ai', units });
      if (status !== 201) throw new Error(`no limit: ${status}`);
    },
    async refusals() {
      const { body } = await ask(at.ops, '/metrics');
      const counts = body.matchAll(/^quotagate_refusals_total\{.*\} (\d+)$/gm);
      return Array.from(counts, ([, count]) => Number(count)).reduce((sum, one) => sum + one, 0);
    },
  };
}

export function totalOf(usage: Usage | undefined): number {
  return (usage?.input ?? Number.NaN) + (usage?.output ?? Number.NaN);
}
