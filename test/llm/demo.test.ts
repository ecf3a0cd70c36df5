// The demo's chat route does what the README says: a stream, one that gets what is left, then the refusal in the API's shape.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { buildApp } from '../../src/app/app.js';
import { demoConfig } from '../../src/cli/demo.js';
import { loadConfig } from '../../src/config/load.js';
import { startSampleAi } from '../../src/demo/sample-ai/index.js';
import { until } from '../e2e/load.js';
import { eventsIn, post } from './raw.js';

const README = new URL('../../../docs/ai-tokens.md', import.meta.url);
const ADDRESSES = {
  QUOTAGATE_SERVER_GATEWAY: '127.0.0.1:0',
  QUOTAGATE_SERVER_ADMIN: '127.0.0.1:0',
  QUOTAGATE_SERVER_OPS: '127.0.0.1:0',
};

/** The `curl` on the chat route, as it stands there. */
function readCurl() {
  const text = readFileSync(README, 'utf8').replaceAll('\\\n', ' ');
  const line = text.split('\n').find((one) => one.startsWith('curl') && one.includes('/v1/chat/completions'));
  const [, path = ''] = /localhost:8080(\S+)/.exec(line ?? '') ?? [];
  const fields = Array.from(line?.matchAll(/-H '([^:]+): ([^']+)'/g) ?? [], ([, name, value]) => [
    name,
    value,
  ]);
  const [, body = ''] = /-d '([^']+)'/.exec(line ?? '') ?? [];
  return { path, headers: Object.fromEntries(fields), body };
}

t.test('as the README says', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'quotagate-demo-'));
  const sample = await startSampleAi();
  const config = loadConfig(demoConfig(data, { upstream: sample.port, models: sample.port }), ADDRESSES);
  const app = await buildApp({ config, logger: pino({ level: 'silent' }) });
  t.teardown(async () => {
    await app.close();
    await sample.close();
    rmSync(data, { recursive: true, force: true });
  });
  const { gateway } = await app.listen();
  const { path, ...curl } = readCurl();
  t.match(curl.headers, { 'x-quota-user': 'eva' });
  const again = async () => {
    const answer = await post(`http://${gateway}${path}`, curl);
    const me = async () => {
      const seen = await fetch(`http://${gateway}/quota/me`, { headers: curl.headers });
      const { quotas } = (await seen.json()) as { quotas: { ai: { held: number; remaining: number } } };
      return quotas.ai;
    };
    await until('it is settled', async () => (await me()).held === 0);
    return { ...answer, left: (await me()).remaining };
  };

  const stream = await again();
  t.match(stream, { status: 200, headers: { 'content-type': /event-stream/ } });
  t.equal(eventsIn(stream.body).at(-1), '[DONE]');
  t.notOk(stream.body.includes('usage'));
  t.equal(stream.left, 200 - 125, 'five tokens of prompt, 120 of answer');

  const rest = await again();
  t.equal(rest.status, 200);
  t.ok(
    Number(rest.headers['quotagate-clamped']) > 40,
    'it gets what is left, less the estimate of the prompt',
  );
  t.ok(rest.left < 30, `${rest.left} left`);

  const refused = await again();
  t.match(refused, { status: 429, headers: { 'x-should-retry': 'false' } });
  t.match(JSON.parse(refused.body.toString()), { error: { code: 'insufficient_quota' } });
  t.equal(sample.log.length, 2);
});
