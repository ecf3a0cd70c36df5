// Nothing that a client sends is served cheaper than it is priced: each case is refused, or charged exactly as matched.
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { CATALOGUE } from '../../src/errors/catalogue.js';
import { cyclesOf, fieldsOf, figuresOf } from '../e2e/figures.js';
import { metricsOf } from '../observe/support.js';
import { type RunningGateway, startGateway } from '../support/gateway.js';
import { headerOf, headersOf, type RawAnswer, RawClient } from '../support/raw.js';
import { TestUpstream, type UpstreamEntry } from '../support/upstream.js';
import { type Case, get } from './case.js';
import { FIELDS } from './fields.js';
import { FRAMING } from './framing.js';
import { METHODS } from './methods.js';
import { PATHS } from './paths.js';

const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  paths: PATHS,
  'methods and versions': METHODS,
  framing: FRAMING,
  'header fields': FIELDS,
};

const ROUTES = `
  - { match: 'GET /v3/report/full', action: report, upstream: keyed, charges: [{ quota: usage, units: 10 }] }
  - { match: 'GET /v3/*', identity: none, upstream: keyed }
  - { match: 'GET /cheap/*', action: cheap, upstream: keyed, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /cheap/*', action: cheap, upstream: keyed, charges: [{ quota: usage, units: 1 }] }
  - { match: '* /any/*', action: any, upstream: keyed, charges: [{ quota: usage, units: 1 }] }
  - { match: 'POST /beyond', action: beyond, upstream: keyed, charges: [{ quota: usage, units: 99999 }] }
  - { match: 'POST /stated', action: stated, upstream: keyed, charges: [{ quota: usage, units: { header: x-cost } }] }
  - { match: 'POST /rows', action: rows, upstream: keyed, charges: [{ quota: usage, units: { jsonLength: /rows } }] }
  - match: 'GET /told/*'
    action: told
    upstream: keyed
    charges: [{ quota: usage, units: { responseHeader: x-units }, hold: 6 }]
`;
const ORGS = '  acme: { plans: { usage: { allowance: 10000 } }, groups: { team: {} } }';

const BEHIND = get('/cheap/behind');

interface Scene {
  readonly gateway: RunningGateway;
  readonly upstream: TestUpstream;
  readonly port: number;
}

async function setUp(t: Test): Promise<Scene> {
  const upstream = await TestUpstream.start();
  const keyed = { url: upstream.url, setHeaders: { 'x-api-key': "the upstream's own" } };
  const gateway = await startGateway({
    upstream: upstream.url,
    upstreams: { keyed },
    orgs: ORGS,
    routes: ROUTES,
  });
  t.teardown(async () => {
    await gateway.close();
    await upstream.close();
  });
  return { gateway, upstream, port: Number(gateway.gateway.split(':').at(-1)) };
}

type Lines = Readonly<Record<string, number>>;

/** Consumed and held, each quota line of the org. */
async function counters({ gateway }: Scene): Promise<Lines> {
  const { ledger } = gateway.app;
  const start = (await cyclesOf(ledger, 'acme')).at(-1);
  const consumed = await fieldsOf(ledger, 'acme', `consumed:${start ?? 0}`);
  const held = await fieldsOf(ledger, 'acme', `held:${start ?? 0}`);
  const all = [...consumed, ...held.map(([line, units]) => [`held ${line}`, units] as const)];
  return Object.fromEntries(
    all
      .map(([line, units]) => [line, Number(units)])
      .filter(([line, units]) => !String(line).startsWith('!') && units !== 0),
  );
}

const SCALE = 10;

/** After so many units more of ana, and of nobody else. */
function after(before: Lines, units: number): Lines {
  const more: Record<string, number> = {};
  for (const line of ['usage:o', 'usage:u:ana']) {
    const sum = (before[line] ?? 0) + units * SCALE;
    if (sum !== 0) more[line] = sum;
  }
  return { ...before, ...more };
}

/** A refusal by its code; any other answer by its status. */
function told({ status, rawHeaders, body }: RawAnswer): string | number {
  const code = headerOf(rawHeaders, 'quotagate-error');
  if (code === undefined) return status;
  const problem = body.length === 0 ? {} : JSON.parse(body.toString());
  const sound =
    CATALOGUE[code as keyof typeof CATALOGUE]?.status === status &&
    headerOf(rawHeaders, 'content-type') === 'application/problem+json' &&
    (problem.code ?? code) === code &&
    !body.toString().includes('    at ');
  return sound ? code : `${code}, but: ${status} ${body.toString()}`;
}

const methodOf = (bytes: string): string => /^[A-Z-]+/.exec(bytes.trimStart())?.[0] ?? 'GET';

/** Everything that comes back: as many answers as are expected, and what comes of the request behind. */
async function play(t: Test, one: Case, client: RawClient, upstream: TestUpstream): Promise<void> {
  client.write(one.bytes + (one.behind === 'none' ? '' : BEHIND));
  const answers: RawAnswer[] = [];
  for (const _ of one.answers)
    answers.push(await client.answer(answers.length === 0 ? methodOf(one.bytes) : 'GET'));
  t.strictSame(answers.map(told), one.answers, one.title);
  for (const [name, value] of Object.entries(one.answerFields ?? {}))
    t.equal(headerOf(answers[0]?.rawHeaders ?? [], name), value, `${one.title}: ${name} of the answer`);
  if (one.behind === 'served') {
    const { body } = await client.answer();
    t.equal(
      JSON.parse(body.toString()).target,
      '/cheap/behind',
      `${one.title}: what stands behind is served`,
    );
  } else if (one.behind === 'dropped' || one.answers.length === 0) {
    const rest = await client.untilClosed();
    t.equal(rest.toString('latin1'), '', `${one.title}: nothing more comes`);
  }
  client.destroy();
  await upstream.until(({ log }) => log.every(({ served }) => served !== 'open'));
}

/** What no request may bring to an upstream. */
function isClean(t: Test, one: Case, entry: UpstreamEntry, { url }: TestUpstream): void {
  const { rawHeaders } = entry;
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const wrong = names.filter((name) =>
    /[^a-z0-9-]|^(?:x.quota.(?:org|user|groups)|upgrade|expect|te|trailer|keep-alive|proxy.*|http2-settings)$/.test(
      name,
    ),
  );
  t.strictSame(wrong, [], `${one.title}: fields that must not travel`);
  t.strictSame(headersOf(rawHeaders, 'host'), [url.replace('http://', '')], `${one.title}: one host`);
  t.strictSame(headersOf(rawHeaders, 'x-api-key'), ["the upstream's own"], `${one.title}: one credential`);
  t.ok(headerOf(rawHeaders, 'x-forwarded-for')?.endsWith('127.0.0.1'), `${one.title}: who is connected`);
  t.match(headersOf(rawHeaders, 'via').at(-1), /^1\.[01] quotagate$/, `${one.title}: says who passed it on`);
  const framings = ['content-length', 'transfer-encoding'].flatMap((name) => headersOf(rawHeaders, name));
  t.ok(framings.length <= 1, `${one.title}: framed in one way`);
}

function line({ method, target, body }: UpstreamEntry): string {
  return body === '' ? `${method} ${target}` : `${method} ${target} ${body}`;
}

const PATIENCE_MS = 1_000;

async function check(t: Test, scene: Scene, one: Case, before: Lines): Promise<Lines> {
  const { upstream, port } = scene;
  const { length } = upstream.log;
  const client = await RawClient.connect(port);
  client.socket.setTimeout(PATIENCE_MS, () => client.destroy());
  await play(t, one, client, upstream).catch((error: Error) => t.fail(`${one.title}: ${error.message}`));
  const behind = one.behind === 'served';
  const log = upstream.log.slice(length);
  t.strictSame(
    log.map(line),
    [...one.received, ...(behind ? ['GET /cheap/behind'] : [])],
    `${one.title}: received`,
  );
  for (const entry of log) isClean(t, one, entry, upstream);
  for (const [name, value] of Object.entries(one.fields ?? {}))
    t.equal(headerOf(log[0]?.rawHeaders ?? [], name), value, `${one.title}: ${name}`);
  const wanted = after(before, one.units + (behind ? 1 : 0));
  const giveUpAt = performance.now() + PATIENCE_MS;
  let counted = await counters(scene);
  // Refunds and settlements arrive a moment later.
  while (!isDeepStrictEqual(counted, wanted) && performance.now() < giveUpAt) counted = await counters(scene);
  t.strictSame(counted, wanted, `${one.title}: charged`);
  return counted;
}

t.test('the corpus', async (t) => {
  const scene = await setUp(t);
  const { upstream, gateway } = scene;
  let counted = await counters(scene);
  let cases = 0;
  let received = 0;
  for (const [title, group] of Object.entries(GROUPS)) {
    await t.test(title, async (t) => {
      for (const one of group) {
        counted = await check(t, scene, one, counted);
        received += one.received.length + (one.behind === 'served' ? 1 : 0);
      }
      cases += group.length;
    });
  }
  t.ok(cases >= 150, `${cases} cases`);
  t.equal(upstream.log.length, received, 'nothing was forwarded late');
  const { values } = await metricsOf(gateway.ops);
  for (const reason of ['name', 'moves']) {
    const name = `quotagate_request_fields_dropped_total{upstream="keyed",reason="${reason}"}`;
    t.ok((values.get(name) ?? 0) > 10, `dropped fields are counted: ${reason}`);
  }
  const { consumed, held, recorded } = await figuresOf(gateway.app.ledger, 'acme');
  t.strictSame(consumed, counted, 'nor charged late');
  t.strictSame(held, {});
  t.strictSame(recorded, consumed, 'and the history agrees');
});
