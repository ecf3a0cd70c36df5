// A refusal looks as the API's own does, says whether to try again, and is a problem where the client asks for one.
import t from 'tap';
import { APIS, factsOf, post } from './raw.js';
import { MATCHES, setUp, totalOf } from './support.js';

t.test('spent, held, and what is wrong with a request', async (t) => {
  const bed = await setUp(t, { allowance: 300 });
  await bed.limit('eva', 1);
  for (const { api, path, streamPath = path, body, errors } of APIS) {
    for (const stream of [false, true]) {
      const send = (headers: Record<string, string>, sent: unknown = body('Where is the sea?', stream)) =>
        post(bed.url + (stream ? streamPath : path), { body: sent, headers });
      const eva = { ...bed.headers, 'x-quota-user': 'eva' };
      const spent = await send(eva);
      const what = `${api} ${stream ? 'stream' : 'JSON'}`;
      t.match(
        spent,
        { status: 429, headers: { 'content-type': /^application\/json/, 'x-should-retry': 'false' } },
        what,
      );
      t.match(JSON.parse(spent.body.toString()), errors.quotaExceeded, what);
      t.match(spent.headers, { 'ratelimit-policy': /"ai-user";q=1/, 'retry-after': /^\d+$/ }, what);

      const problem = await send({ ...eva, accept: 'application/problem+json' });
      t.match(problem.headers['content-type'], 'application/problem+json', what);
      t.match(JSON.parse(problem.body.toString()), {
        quota: 'ai',
        scope: 'user',
        subject: 'eva',
        action: api,
      });

      for (const wrong of ['{', '[]', '{"model":7}']) {
        const { status, body: said } = await send(bed.headers, wrong);
        t.ok(status >= 400 && status < 500, `${what} ${wrong}: ${status}`);
        t.match(JSON.parse(said.toString()), errors.any, `${what} ${wrong}`);
      }
      const nobody = await send({});
      t.equal(nobody.status, 401);
      t.match(JSON.parse(nobody.body.toString()), errors.any, `${what}: the same for nobody`);
    }
  }
  t.equal(bed.sample.log.length, 0);
  await bed.settles(t, 0, 'nothing is charged');
});

t.test('what others hold is worth waiting for', async (t) => {
  const bed = await setUp(t, { allowance: 300 });
  const { path, body } = factsOf('openai-chat');
  const limited = (prompt: string) => ({ ...body(prompt, true), max_tokens: 200 });
  const first = post(bed.url + path, { body: limited('[[tokens=20 hold=10]]'), headers: bed.headers });
  await bed.sample.until((log) => log.at(-1)?.onHold === true);
  const second = await post(bed.url + path, { body: limited('[[tokens=20]]'), headers: bed.headers });
  t.equal(second.status, 429);
  t.equal(second.headers['x-should-retry'], undefined);
  t.ok(Number(second.headers['retry-after']) <= 5);
  bed.sample.release();
  t.equal((await first).status, 200);
  await bed.settled(t);
  t.equal((await post(bed.url + path, { body: limited('[[tokens=20]]'), headers: bed.headers })).status, 200);
});

t.test('models without a price are refused, those with one are weighed', async (t) => {
  const quotas = `
  ai: { unit: tokens }
  credits: { unit: credits, decimals: 3 }
models:
  - { match: sample-*, multiplier: 3, maxOutputTokens: 50 }
  - { match: '*-mini', multiplier: 0.5 }`;
  const bed = await setUp(t, { quotas });
  const path = '/v1/chat/completions';
  const send = (model: string) => {
    const messages = [{ role: 'user', content: 'Where is the sea? [[tokens=20]]' }];
    return post(bed.url + path, { body: { model, messages }, headers: bed.headers });
  };
  const unknown = await send('other');
  t.ok(unknown.status >= 400 && unknown.status < 500, `${unknown.status}`);
  t.match(JSON.parse(unknown.body.toString()), { error: { message: /other/ } });
  t.equal(bed.sample.log.length, 0);
  t.equal((await send('sample-1')).status, 200);
  const total = totalOf(bed.last().usage);
  await bed.settles(t, 3 * total, 'three times');
  t.equal((await send('some-mini')).status, 200);
  await bed.settles(t, 3 * total + Math.ceil(total / 2), 'half');
});

t.test('what a stream cost shows at once', async (t) => {
  const routes = `
  - { match: '${MATCHES['openai-chat']}', action: chat, upstream: up, charges: [{ quota: ai, llm: { api: openai-chat } }] }
`;
  const bed = await setUp(t, { routes });
  const { path, body } = factsOf('openai-chat');
  const prompt = '[[prompt=400 cached=100 written=40 reasoning=20 tokens=30]]';
  const answer = await post(bed.url + path, { body: body(prompt, true), headers: bed.headers });
  t.match(answer.headers, { 'ratelimit-policy': /"ai-org";q=1000000/, ratelimit: /"ai-org";r=\d+/ });
  await bed.settles(t, 450, 'charged');
  const me = await fetch(`${bed.url}/quota/me`, { headers: bed.headers });
  t.match(await me.json(), { quotas: { ai: { consumed: 450 } } });
  const metrics = await (await fetch(`http://${bed.ops}/metrics`)).text();
  for (const [kind, tokens] of Object.entries({
    input: 260,
    'cached-input': 100,
    'cache-write': 40,
    output: 30,
    reasoning: 20,
  }))
    t.match(
      metrics,
      new RegExp(`^quotagate_tokens_total\\{model="other",class="${kind}"\\} ${tokens}$`, 'm'),
    );
});
