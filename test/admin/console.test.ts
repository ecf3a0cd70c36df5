// The console's files, as browsers get them: under a strict policy, compressed, cached by their names, and the page for every
// address that it shows by itself.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { buildAdmin } from '../../src/admin/index.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { QUOTAS } from './support.js';

const PAGE =
  '<!doctype html><title>quotagate</title><script type="module" src="/console/assets/index-a1.js"></script>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2_000))});`;

async function start(folder: string) {
  const ledger = await openEmbedded({});
  const app = buildAdmin({ ledger, quotas: QUOTAS, consoleFolder: folder });
  t.teardown(async () => {
    await app.close();
    await ledger.close();
  });
  return (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' | 'POST' = 'GET') =>
    app.inject({ url, headers, method });
}

t.test('the built console', async (t) => {
  const folder = t.testdir();
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), PAGE);
  await writeFile(join(folder, 'icon.png'), 'png');
  await writeFile(join(folder, 'assets', 'index-a1.js'), SCRIPT);
  const ask = await start(folder);

  for (const path of ['/', '/console']) {
    const { statusCode, headers } = await ask(path);
    t.same([statusCode, headers.location], [302, '/console/'], path);
  }
  const page = await ask('/console/');
  t.equal(page.body, PAGE);
  t.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  t.equal(page.headers['cache-control'], 'no-cache');
  const policy = String(page.headers['content-security-policy']);
  t.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  t.match(policy, /base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/);
  t.notMatch(policy, /unsafe|\*|http/);
  t.match(page.headers, {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': /camera=\(\)/,
  });
  const again = await ask('/console/', { 'if-none-match': `"other", ${page.headers.etag}` });
  t.same([again.statusCode, again.body], [304, '']);

  const script = await ask('/console/assets/index-a1.js');
  t.equal(script.body, SCRIPT);
  t.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
  t.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
  t.equal(script.headers.vary, 'accept-encoding');
  const codings = [
    ['gzip, deflate, br', 'br'],
    ['GZIP;q=0.5', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0.0', undefined],
    ['*', undefined],
  ] as const;
  for (const [accepted, coding] of codings) {
    const answer = await ask('/console/assets/index-a1.js', { 'accept-encoding': accepted });
    t.equal(answer.headers['content-encoding'], coding, accepted);
    const unpack = coding === 'br' ? brotliDecompressSync : coding === 'gzip' ? gunzipSync : undefined;
    t.equal(String(unpack?.(answer.rawPayload) ?? answer.rawPayload), SCRIPT);
  }
  const icon = await ask('/console/icon.png', { 'accept-encoding': 'br' });
  t.match(icon.headers, { 'content-type': 'image/png', 'cache-control': 'no-cache' });
  t.equal(icon.headers['content-encoding'], undefined);

  for (const path of [
    'orgs/acme/limits',
    'orgs/acme.eu/users/ann@example.com',
    'index.html',
    '..%2f..%2fpackage.json',
  ])
    t.equal((await ask(`/console/${path}`)).body, PAGE, path);
  const missing = await ask('/console/assets/index-b2.js');
  t.same([missing.statusCode, missing.json().code], [404, 'not-found'], 'an asset of another version');
  t.equal(missing.headers['cache-control'], undefined);
  const head = await ask('/console/', {}, 'HEAD');
  t.same([head.statusCode, head.body, head.headers['content-length']], [200, '', String(PAGE.length)]);
  for (const path of ['/', '/console', '/console/', '/console/orgs/acme']) {
    const refused = await ask(path, {}, 'POST');
    t.same([refused.statusCode, refused.headers.allow], [405, 'GET, HEAD'], path);
  }
});

t.test('a build without the console says how to build it', async (t) => {
  const ask = await start(join(t.testdir(), 'nothing'));
  for (const path of ['/console/', '/console/assets/index-a1.js']) {
    const answer = await ask(path);
    t.same([answer.statusCode, answer.json().code], [404, 'not-found']);
    t.match(answer.json().detail, /run `npm run build`/);
  }
});
