// If no route matches, the error has the format of the most likely API; the path of the caller's own figures answers
// 405.
import t from 'tap';
import { nearestRoute } from '../../src/gateway/routes.js';
import { as, ask, startGateway } from '../support/gateway.js';
import { TestUpstream } from '../support/upstream.js';

t.test('the route that begins most alike', async (t) => {
  const near = nearestRoute(
    [
      ['POST /v1/chat/completions', 'openai'],
      ['GET /v1/models', undefined],
      ['POST /v1/messages', 'anthropic'],
      ['POST /openai/deployments/:name/chat/completions', 'azure'],
      ['GET /v3/maps/*', undefined],
      ['GET /:tenant/files', 'none'],
    ].map(([match = '', value]) => ({ match, value })),
  );
  const cases: [string, string | undefined][] = [
    ['/v1/chat/completionz', 'openai'],
    ['/V1/Chat/Completions', 'openai'],
    ['/v1/chat/completions', 'openai'],
    ['/v1/modelz', 'openai'],
    ['/v1/models', undefined],
    ['/v1/messages/extra', 'anthropic'],
    ['/openai/deployments/d/chat/completion', 'azure'],
    ['/v3/map', undefined],
    ['/v3/maps', undefined],
    ['/', undefined],
    ['/elsewhere', undefined],
  ];
  for (const [path, wanted] of cases) t.equal(near(path), wanted, path);
});

t.test('through the gateway', async (t) => {
  const upstream = await TestUpstream.start();
  const gateway = await startGateway({
    upstream: upstream.url,
    quotas: '  ai: { unit: tokens }',
    routes: `
  - { match: POST /v1/chat/completions, action: chat, upstream: up, charges: [{ quota: ai, llm: { api: openai-chat } }] }
  - { match: POST /anthropic/v1/messages, action: chat, upstream: up, charges: [{ quota: ai, llm: { api: anthropic-messages } }] }
  - { match: GET /v3/unit, action: unit, upstream: up, charges: [] }
`,
    orgs: '  acme: {}',
  });
  t.teardown(async () => {
    await gateway.close();
    await upstream.close();
  });
  const send = async (method: string, path: string) => {
    const { status, headers, body } = await ask(gateway.gateway, path, { method, headers: as('ana') });
    return { status, headers, body: body === '' ? undefined : JSON.parse(body) };
  };
  const slip = await send('POST', '/v1/chat/completionz');
  t.match(slip, { status: 404, body: { error: { code: 'route_unknown', message: String } } });
  t.match(slip.headers, { 'content-type': 'application/json', 'quotagate-error': 'route-unknown' });
  t.match(await send('POST', '/anthropic/v1/message'), { status: 404, body: { type: 'error' } });
  t.match(await send('GET', '/v3/units'), { status: 404, body: { code: 'route-unknown' } });
  const own = await send('POST', '/quota/me');
  t.match(own, { status: 405, headers: { allow: 'GET' }, body: { code: 'method-not-allowed' } });
  t.equal((await send('GET', '/quota/me')).status, 200);
  t.equal(upstream.log.length, 0);
});
