// A stream that begins with an error and contains nothing else costs nothing, whatever its status.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { comesTo } from '../e2e/load.js';
import { admin, as, startGateway } from '../support/gateway.js';
import { post } from './raw.js';
import { orgsOf, QUOTAS } from './support.js';

const ERROR = `data: ${JSON.stringify({ error: { message: 'overloaded', code: 529 } })}\n\n`;
const TEXT = `data: ${JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(300) } }] })}\n\n`;

t.test('an error in place of an answer', async (t) => {
  let body = ERROR;
  const upstream = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  t.teardown(() => upstream.close());
  const { port } = upstream.address() as AddressInfo;
  const gateway = await startGateway({
    upstream: `http://127.0.0.1:${port}`,
    orgs: orgsOf(100_000),
    quotas: QUOTAS,
    routes: `
  - match: POST /v1/chat/completions
    action: chat
    upstream: up
    charges: [{ quota: ai, llm: { api: openai-chat } }, { quota: usage, units: 1 }]
`,
  });
  t.teardown(() => gateway.close());
  const call = async () =>
    await post(`http://${gateway.gateway}/v1/chat/completions`, {
      body: { model: 'm', stream: true },
      headers: as('ana'),
    });
  const figures = async () => {
    const { body: usage } = await admin(gateway.admin, 'GET', '/orgs/acme/usage');
    const { org } = usage as { org: { quota: string; consumed: number; held: number }[] };
    const of = (quota: string) => org.find((one) => one.quota === quota);
    return [of('ai')?.consumed ?? 0, of('ai')?.held ?? 0, of('usage')?.consumed ?? 0];
  };
  t.equal((await call()).body.toString(), ERROR);
  await comesTo(t, figures, [0, 0, 0], 'nothing is charged, fixed costs neither');
  body = TEXT + ERROR;
  await call();
  await comesTo(t, async () => (await figures()).map((one) => one > 0), [true, false, true], 'text is');
});
