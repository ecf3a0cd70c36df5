// Routes by verb for all models, and lists of models on free routes beside them.
import t from 'tap';
import { post } from './raw.js';
import { setUp } from './support.js';

t.test('each verb has its route', async (t) => {
  const charge = '[{ quota: ai, llm: { api: gemini } }]';
  const bed = await setUp(t, {
    routes: `
  - { match: 'POST /v1beta/models/:model:generateContent', action: whole, upstream: up, charges: ${charge} }
  - { match: 'POST /v1beta/models/:model:streamGenerateContent', action: stream, upstream: up, charges: ${charge} }
  - { match: GET /v1beta/models, action: models, upstream: up, charges: [] }
  - { match: POST /v1/chat/completions, action: chat, upstream: up, charges: [{ quota: ai, llm: { api: openai-chat } }] }
  - { match: GET /v1/models, action: models, upstream: up, charges: [] }
  - { match: GET /v1/models/:model, identity: none, upstream: up }
`,
  });
  const { url, headers } = bed;
  const body = { contents: [{ parts: [{ text: 'hello [[tokens=5]]' }] }] };
  for (const call of ['generateContent', 'streamGenerateContent?alt=sse']) {
    const before = bed.sample.log.length;
    const { status } = await post(`${url}/v1beta/models/gemini-pro:${call}`, { body, headers });
    t.equal(status, 200, call);
    t.equal(bed.sample.log.length, before + 1);
  }
  const consumed = await bed.settled(t);
  t.ok(consumed > 0);
  const other = await post(`${url}/v1beta/models/gemini-pro:embedContent`, { body, headers });
  t.equal(other.status, 404, 'a verb without a route');
  t.match(JSON.parse(other.body.toString()), { error: { code: 404 } }, 'in the shape of the API');
  for (const path of ['/v1/models', '/v1beta/models', '/v1/models/m']) {
    const answer = await fetch(url + path, { headers: { ...headers } });
    t.notOk(answer.headers.get('content-type')?.includes('problem'), `${path} reaches the upstream`);
    await answer.arrayBuffer();
  }
  const anonymous = await fetch(`${url}/v1/models`);
  t.equal(anonymous.status, 401, 'with an identity');
  await anonymous.arrayBuffer();
  await bed.settles(t, consumed, 'lists of models cost nothing');
});
