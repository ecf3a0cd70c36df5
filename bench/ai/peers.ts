/** Other AI gateways, as plain proxies: Portkey's from npm and the LiteLLM proxy from PyPI. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Contender, freePort, startProgram } from '../lib/server.js';
import { onPath } from '../peers/peer.js';
import type { Endpoint } from './load.js';

export interface AiPeer extends Contender {
  readonly endpoint: Endpoint;
}

interface Place {
  readonly folder: string;
  readonly upstream: string;
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PORTKEY = join(ROOT, 'node_modules/@portkey-ai/gateway/build/start-server.js');
/** LiteLLM does not start without a key. */
const KEY = `sk-${randomBytes(24).toString('hex')}`;
const LITELLM = process.env.LITELLM ?? onPath('litellm');

async function portkey({ upstream }: Place): Promise<AiPeer> {
  if (!existsSync(PORTKEY)) throw new Error('@portkey-ai/gateway is not installed');
  const port = await freePort();
  const server = await startProgram({
    name: 'Portkey gateway',
    command: process.execPath,
    args: [PORTKEY, `--port=${port}`, '--headless'],
    env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    port,
  });
  const headers = {
    authorization: 'Bearer bench',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${upstream}/v1`,
  };
  return { ...server, endpoint: { path: '/v1/chat/completions', headers, model: 'gpt-bench' } };
}

async function litellm({ folder, upstream }: Place): Promise<AiPeer> {
  if (LITELLM === undefined)
    throw new Error('litellm not found: install it (pip: litellm[proxy]) or set LITELLM to its path');
  const port = await freePort();
  const own = join(folder, 'litellm');
  mkdirSync(own);
  const file = join(own, 'config.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      model_list: [
        {
          model_name: 'gpt-bench',
          litellm_params: { model: 'openai/gpt-bench', api_base: `${upstream}/v1`, api_key: 'bench' },
        },
      ],
    }),
  );
  const headers = { authorization: `Bearer ${KEY}` };
  const server = await startProgram({
    name: 'LiteLLM proxy',
    command: LITELLM,
    args: [
      '--config',
      file,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--num_workers',
      '1',
      '--telemetry',
      'False',
    ],
    env: { LITELLM_MASTER_KEY: KEY, LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR' },
    port,
    withinMs: 60_000,
  });
  return { ...server, endpoint: { path: '/v1/chat/completions', headers, model: 'gpt-bench' } };
}

export async function startAiPeers(place: Place): Promise<{ peers: AiPeer[]; leftOut: string[] }> {
  const peers: AiPeer[] = [];
  const leftOut: string[] = [];
  for (const [name, start] of [
    ['Portkey gateway', portkey],
    ['LiteLLM proxy', litellm],
  ] as const)
    await start(place).then(
      (peer) => peers.push(peer),
      (error: Error) => leftOut.push(`left out: ${name}: ${error.message}`),
    );
  return { peers, leftOut };
}
