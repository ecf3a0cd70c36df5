/** What `npm run demo` starts, on ports of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { makeFirstToken } from '../../src/admin/index.js';
import { buildApp } from '../../src/app/app.js';
import { demoConfig } from '../../src/cli/demo.js';
import { loadConfig } from '../../src/config/load.js';
import { startDemoUpstream } from '../../src/demo/location-upstream.js';
import { startSampleAi } from '../../src/demo/sample-ai/index.js';

export interface StartedDemo {
  readonly token: string;
  /** The text with the demo's ports replaced by those it has here. */
  atPorts(text: string): string;
  /** The body of a refusal: Eva, limited to 5 units, has used 0.1 and asks for 10. */
  refusal(): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

const ANY_PORT = {
  QUOTAGATE_SERVER_GATEWAY: '127.0.0.1:0',
  QUOTAGATE_SERVER_ADMIN: '127.0.0.1:0',
  QUOTAGATE_SERVER_OPS: '127.0.0.1:0',
};

export async function startDemo(): Promise<StartedDemo> {
  const data = mkdtempSync(join(tmpdir(), 'quotagate-demo-'));
  const [upstream, models] = [await startDemoUpstream(), await startSampleAi()];
  const config = loadConfig(demoConfig(data, { upstream: upstream.port, models: models.port }), ANY_PORT);
  const app = await buildApp({ config, logger: pino({ level: 'silent' }) });
  const token = await makeFirstToken(app.ledger);
  const { gateway, admin, ops } = await app.listen();
  return {
    token,
    atPorts: (text) =>
      text
        .replaceAll('localhost:8080', gateway)
        .replaceAll('localhost:9080', admin)
        .replaceAll('localhost:9091', ops),
    async refusal() {
      const eva = { 'x-quota-org': 'acme', 'x-quota-user': 'eva' };
      await fetch(`http://${gateway}/v3/maps/4/8/5`, { headers: eva });
      await fetch(`http://${admin}/v1/orgs/acme/limits`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ user: 'eva', quota: 'usage', units: 5 }),
      });
      const refused = await fetch(`http://${gateway}/v3/sql?q=select%201`, { headers: eva });
      return (await refused.json()) as Record<string, unknown>;
    },
    async close() {
      await app.close();
      await Promise.all([upstream.close(), models.close()]);
      rmSync(data, { recursive: true, force: true });
    },
  };
}
