// No request is served for less than its price: each case is refused, or charged exactly as the matched route.
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
  - match: 'GET /measured/*'
    action: measured
    upstream: keyed
    charges: [{ quota: usage, units: { responseHeader: x-units }, hold: 6 }]
`;
const ORGS = '  acme: { plans: { usage: { allowance: 10000 } }, groups: { team: {} } }';

const BEHIND = get('/cheap/behind');

interface Setup {
  readonly gateway: RunningGateway;
  readonly upstream: TestUpstream;
  readonly port: number;
}

async function setUp(t: Test): Promise<Setup> {
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

/** Consumed and held units of every counter of the org. */
async function counters({ gateway }: Setup): Promise<Lines> {
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

/** The counters after ana alone has consumed more units. */
function after(before: Lines, units: number): Lines {
  const more: Record<string, number> = {};
  for (const line of ['usage:o', 'usage:u:ana']) {
    const sum = (before[line] ?? 0) + units * SCALE;
    if (sum !== 0) more[line] = sum;
  }
  return { ...before, ...more };
}

/** The error code of a refusal; the status of any other response. */
function outcomeOf({ status, rawHeaders, body }: RawAnswer): string | number {
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

/** Sends a case and checks its responses, and the response to the request sent after it. */
async function exchange(t: Test, one: Case, client: RawClient, upstream: TestUpstream): Promise<void> {
  client.write(one.bytes + (one.behind === 'none' ? '' : BEHIND));
  const answers: RawAnswer[] = [];
  for (const _ of one.answers)
    answers.push(await client.answer(answers.length === 0 ? methodOf(one.bytes) : 'GET'));
  t.strictSame(answers.map(outcomeOf), one.answers, one.title);
  for (const [name, value] of Object.entries(one.answerFields ?? {}))
    t.equal(headerOf(answers[0]?.rawHeaders ?? [], name), value, `${one.title}: ${name} of the answer`);
  if (one.behind === 'served') {
    const { body } = await client.answer();
    t.equal(JSON.parse(body.toString()).target, '/cheap/behind', `${one.title}: the next request is served`);
  } else if (one.behind === 'dropped' || one.answers.length === 0) {
    const rest = await client.untilClosed();
    t.equal(rest.toString('latin1'), '', `${one.title}: nothing more arrives`);
  }
  client.destroy();
  await upstream.until(({ log }) => log.every(({ served }) => served !== 'open'));
}

/** Checks that no header arrived at the upstream that must not be forwarded. */
function isClean(t: Test, one: Case, entry: UpstreamEntry, { url }: TestUpstream): void {
  const { rawHeaders } = entry;
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const wrong = names.filter((name) =>
    /[^a-z0-9-]|^(?:x.quota.(?:org|user|groups)|upgrade|expect|te|trailer|keep-alive|proxy.*|http2-settings)$/.test(
      name,
    ),
  );
  t.strictSame(wrong, [], `${one.title}: headers that must not be forwarded`);
  t.strictSame(headersOf(rawHeaders, 'host'), [url.replace('http://', '')], `${one.title}: one host`);
  t.strictSame(headersOf(rawHeaders, 'x-api-key'), ["the upstream's own"], `${one.title}: one credential`);
  t.ok(headerOf(rawHeaders, 'x-forwarded-for')?.endsWith('127.0.0.1'), `${one.title}: names the peer`);
  t.match(headersOf(rawHeaders, 'via').at(-1), /^1\.[01] quotagate$/, `${one.title}: names the gateway`);
  const framings = ['content-length', 'transfer-encoding'].flatMap((name) => headersOf(rawHeaders, name));
  t.ok(framings.length <= 1, `${one.title}: at most one framing header`);
}

function line({ method, target, body }: UpstreamEntry): string {
  return body === '' ? `${method} ${target}` : `${method} ${target} ${body}`;
}

const PATIENCE_MS = 1_000;

async function check(t: Test, setup: Setup, one: Case, before: Lines): Promise<Lines> {
  const { upstream, port } = setup;
  const { length } = upstream.log;
  const client = await RawClient.connect(port);
  client.socket.setTimeout(PATIENCE_MS, () => client.destroy());
  await exchange(t, one, client, upstream).catch((error: Error) => t.fail(`${one.title}: ${error.message}`));
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
  let counted = await counters(setup);
  // Refunds and settlements arrive shortly after the response.
  while (!isDeepStrictEqual(counted, wanted) && performance.now() < giveUpAt) counted = await counters(setup);
  t.strictSame(counted, wanted, `${one.title}: charged`);
  return counted;
}

t.test('each case is refused or charged as matched', async (t) => {
  const setup = await setUp(t);
  const { upstream, gateway } = setup;
  let counted = await counters(setup);
  let cases = 0;
  let received = 0;
  for (const [title, group] of Object.entries(GROUPS)) {
    await t.test(title, async (t) => {
      for (const one of group) {
        counted = await check(t, setup, one, counted);
        received += one.received.length + (one.behind === 'served' ? 1 : 0);
      }
      cases += group.length;
    });
  }
  t.ok(cases >= 150, `${cases} cases`);
  t.equal(upstream.log.length, received, 'nothing is forwarded later');
  const { values } = await metricsOf(gateway.ops);
  for (const reason of ['name', 'moves']) {
    const name = `quotagate_request_fields_dropped_total{upstream="keyed",reason="${reason}"}`;
    t.ok((values.get(name) ?? 0) > 10, `dropped fields are counted: ${reason}`);
  }
  const { consumed, held, recorded } = await figuresOf(gateway.app.ledger, 'acme');
  t.strictSame(consumed, counted, 'nothing is charged later');
  t.strictSame(held, {});
  t.strictSame(recorded, consumed, 'history equals the counters');
});
