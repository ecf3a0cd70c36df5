// The program as the image has it: a few files that do the same as the many of the build, and load what the config needs.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ALLOWED_LICENSES } from '../../scripts/docs/licenses.js';
import { ADMIN_TOKEN, ask, type ConfigParts, spawnGateway } from '../support/gateway.js';
import { skipWithoutRedis, startRedis } from '../support/redis.js';
import { TestUpstream } from '../support/upstream.js';

const folder = mkdtempSync(join(tmpdir(), 'quotagate-bundle-'));
const image = join(folder, 'image');
const code = join(image, 'dist');
const program = join(code, 'main.js');
execFileSync(process.execPath, ['dist/scripts/image/index.js', image]);
const upstream = await TestUpstream.start();
t.teardown(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Packages that name their licence, and come without its text. */
const WITHOUT_TEXT = new Set(['abstract-logging', 'standardwebhooks']);
const CALLER = { 'x-quota-org': 'acme', 'x-quota-user': 'ana' };
const parts: ConfigParts = {
  upstream: upstream.url,
  program,
  quotas: '  ai: { unit: tokens }\nmodels: [{ match: any, maxOutputTokens: 100 }]',
  routes: `
  - { match: GET /unit, action: unit, upstream: up, charges: [{ quota: usage, units: 1 }] }
  - match: POST /v1/chat/completions
    action: chat
    upstream: up
    charges: [{ quota: ai, llm: { api: openai-chat, tokenizer: o200k_base } }]`,
  orgs: '  acme: { plans: { usage: { allowance: 1 }, ai: { allowance: 1000 } } }',
};

t.test('it serves: gateway, console, admin API and its pages', async (t) => {
  const gateway = await spawnGateway(parts, folder);
  const statusOf = async (path: string, headers = {}): Promise<number> =>
    (await ask(gateway.admin, path, { headers })).status;
  t.equal((await ask(gateway.gateway, '/unit', { headers: CALLER })).status, 200);
  t.equal((await ask(gateway.gateway, '/unit', { headers: CALLER })).status, 429);
  const chat = { method: 'POST', headers: { ...CALLER, 'content-type': 'application/json' } };
  const body = '{"model":"any","messages":[{"role":"user","content":"some words"}]}';
  const counted = await ask(gateway.gateway, '/v1/chat/completions', { ...chat, body });
  t.equal(counted.status, 200, 'a worker thread counts the tokens');
  t.equal(await statusOf('/v1/orgs/acme', { authorization: `Bearer ${ADMIN_TOKEN}` }), 200);
  t.match((await ask(gateway.admin, '/console/')).body, /<script/);
  t.equal(await statusOf('/v1/openapi.json'), 200);
  t.equal(await statusOf('/v1/docs/'), 200);
  t.equal(await statusOf('/v1/docs/static/swagger-ui-bundle.js'), 200);
  t.equal(await gateway.stop(), 0);

  const check = spawnSync(process.execPath, [program, 'check', '-c', gateway.file], { encoding: 'utf8' });
  t.match(check, { status: 0, stderr: '' });
  const demo = spawnSync(process.execPath, [program, 'demo'], { encoding: 'utf8' });
  t.match(demo, { status: 1, stderr: /not part of the container image/ });
});

t.test('it runs on Redis, with the scripts', { skip: skipWithoutRedis }, async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const gateway = await spawnGateway({ ...parts, redis: redis.url }, folder);
  t.equal((await ask(gateway.gateway, '/unit', { headers: CALLER })).status, 200);
  t.equal((await ask(gateway.gateway, '/unit', { headers: CALLER })).status, 429);
  t.equal(await gateway.stop(), 0);
});

t.test('a start loads nothing that only some configs need', async (t) => {
  const said = execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' });
  t.equal(said.trim(), JSON.parse(readFileSync('package.json', 'utf8')).version);
  t.notMatch(
    readFileSync(program, 'utf8'),
    /[\u0080-\uffff]/,
    'each character of it takes one byte in memory',
  );
  const loaded = loadedBy('main.js');
  for (const name of ['o200k_base', 'cl100k_base', 'nodemailer', 'redis', 'tracing', 'persist']) {
    const chunks = readdirSync(code).filter((file) => file.startsWith(`${name}-`));
    t.equal(chunks.length, 1, `${name} is a file of its own`);
    t.notOk(loaded.has(chunks[0] ?? ''), name);
  }
});

t.test('each package in it has its licence, and is in the list of packages', async (t) => {
  const listed = JSON.parse(readFileSync(join(image, 'sbom.cdx.json'), 'utf8'));
  const refs = new Set(listed.components.map((one: { 'bom-ref': string }) => one['bom-ref']));
  for (const file of ['licenses.md', 'console/licenses.md']) {
    const [, ...packages] = readFileSync(join(code, file), 'utf8').split(/^## (?=\S+ - \d)/m);
    t.ok(packages.length > 0, file);
    for (const entry of packages) {
      const [, name = '', version, license = '', text = ''] =
        /^(\S+) - (\S+) \((.*?)\)\n(.*)$/s.exec(entry) ?? [];
      t.ok(ALLOWED_LICENSES.has(license), `${name} is under ${license}`);
      t.ok(text.length > 100 || WITHOUT_TEXT.has(name), `${name}: its text`);
      t.ok(refs.has(`${name}@${version}`), `${name} is listed`);
    }
  }
  t.ok(refs.has('classic-level@3.0.0'), 'a package that is beside the bundle is listed');
  t.notOk(
    [...refs].some((ref) => String(ref).startsWith('tap@')),
    'a package of development is not',
  );
  t.ok(readdirSync(join(image, 'node_modules/classic-level')).includes('LICENSE'));
});

/** The files that this one imports before it runs, and itself. */
function loadedBy(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(code, file), 'utf8');
  for (const [, imported = ''] of text.matchAll(/^(?:const .*= )?require\("\.\/(.*?)"\);$/gm))
    loadedBy(imported, found);
  return found;
}
