// The log names the addresses of the config: behind a Service, `127.0.0.1` would mean that nobody reaches the gateway.
import { pino } from 'pino';
import t from 'tap';
import { buildApp } from '../../src/app/app.js';
import { loadConfig } from '../../src/config/load.js';
import { configText } from '../support/gateway.js';

t.test('all addresses of the machine', async (t) => {
  const data = t.testdir();
  const text = configText({ data, upstream: 'http://127.0.0.1:1', orgs: '  acme: {}' });
  const config = loadConfig(text.replaceAll('127.0.0.1:0', '0.0.0.0:0'), {});
  const app = await buildApp({ config, logger: pino({ level: 'silent' }), environment: {} });
  t.teardown(() => app.close());
  for (const address of Object.values(await app.listen())) t.match(address, /^0\.0\.0\.0:[1-9]\d+$/);
});
