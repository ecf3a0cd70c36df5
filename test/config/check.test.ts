// `quotagate check` prints every mistake with file, place and hint, and fails; a config without mistakes passes.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { check } from '../../src/cli/check.js';
import { EXAMPLE } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'quotagate-check-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function checked(text: string, environment: Record<string, string> = {}, secrets = false) {
  const file = join(folder, 'quotagate.yaml');
  writeFileSync(file, text);
  const printed: string[] = [];
  const code = check({ file, environment, secrets }, { write: (piece) => printed.push(piece) });
  return { code, text: printed.join('').replaceAll(file, 'quotagate.yaml') };
}

t.test('a config without mistakes', async (t) => {
  t.strictSame(checked(EXAMPLE), { code: 0, text: 'quotagate.yaml: ok, 4 routes, 3 quotas, 1 org\n' });
});

t.test('mistakes of the file and of the environment', async (t) => {
  const result = checked('quotas:\n  usage: { decimals: 9 }\nlogs: {}\n', { QUOTAGATE_SERVER_ADMIN: 'x' });
  t.strictSame(result, {
    code: 1,
    text: `quotagate.yaml:2:22 /quotas/usage/decimals: 9 is out of bounds – write a whole number from 0 to 6
quotagate.yaml:3:1 /logs: \`logs\` is not a setting – did you mean \`log\`?
QUOTAGATE_SERVER_ADMIN /server/admin: "x" is not an address to listen on, or off – write host:port, such as 127.0.0.1:9080 or [::1]:9080, or off
quotagate.yaml: 3 errors
`,
  });
});

t.test('a file that is not there', async (t) => {
  const printed: string[] = [];
  t.equal(
    check({ file: join(folder, 'none.yaml'), environment: {} }, { write: (piece) => printed.push(piece) }),
    1,
  );
  t.match(printed.join(''), /none\.yaml:1:1: cannot be read: ENOENT.* – name a config file with -c\n/);
});

t.test('files and variables that the config names, only when asked for', async (t) => {
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('empty'), ' \n');
  writeFileSync(at('short'), 'short');
  writeFileSync(at('lines'), 'Bearer a\nb');
  writeFileSync(at('keys.json'), '{}');
  const text = `
server:
  tls: { cert: ${at('no-cert')}, key: ${at('no-key')} }
store: { redis: "redis://h", passwordFile: ${at('empty')} }
identity:
  jwt: { jwksFile: ${at('keys.json')}, issuer: i, audience: a, algorithms: [RS256] }
upstreams:
  maps:
    url: http://maps
    caFile: ${at('short')}
    setHeaders: { x-a: { file: ${at('none')} }, x-b: { env: NONE }, x-c: { file: ${at('lines')} }, x-d: plain }
admin: { bootstrapTokenFile: ${at('short')} }
`;
  t.equal(checked(text).code, 0);
  const { code, text: printed } = checked(text, {}, true);
  t.equal(code, 1);
  const lines = printed.replaceAll(folder, '.').trim().split('\n');
  const expected = [
    /:3:\d+ \/server\/tls\/cert: ENOENT.*no-cert/,
    /:3:\d+ \/server\/tls\/key: ENOENT.*no-key/,
    /:4:\d+ \/store\/passwordFile: the file .*empty is empty/,
    /:6:\d+ \/identity\/jwt\/jwksFile: .*JSON Web Key Set/,
    /:10:\d+ \/upstreams\/maps\/caFile: /,
    /:11:\d+ \/upstreams\/maps\/setHeaders\/x-a: ENOENT/,
    /:11:\d+ \/upstreams\/maps\/setHeaders\/x-b: the environment variable NONE is not set/,
    /:11:\d+ \/upstreams\/maps\/setHeaders\/x-c: .* no header can hold/,
    /:12:\d+ \/admin\/bootstrapTokenFile: .*at least 16 characters/,
    /: 9 errors/,
  ];
  t.equal(lines.length, expected.length, printed);
  for (const [index, line] of lines.entries()) t.match(line, expected[index] ?? '');
});

t.test('a secret file does not hide another mistake, nor the other way', async (t) => {
  const text = 'store: { redis: "redis://h", passwordFile: /none/such }\nlog: { level: loud }\n';
  t.match(checked(text, {}, true).text, /passwordFile: ENOENT(.|\n)*log\/level: "loud"(.|\n)*2 errors/);
});

t.test('a secret that is too short for its algorithm', async (t) => {
  const text =
    'identity: { jwt: { secret: { env: JWT }, issuer: i, audience: a, algorithms: [HS256, HS512] } }\n';
  const { text: printed } = checked(text, { JWT: 'x'.repeat(40) }, true);
  t.match(
    printed,
    /\/identity\/jwt\/secret: the shared secret has 40 bytes; its algorithms need at least 64/,
  );
});

t.test('a percent of a pool of nothing, and more users than seats', async (t) => {
  const org = (extra: string): string =>
    `quotas: { lds: }\norgs: { a: { seats: 1, users: { u: , v: }, plans: { lds: { allowance: 0${extra} } }, ` +
    'limits: [{ user: u, quota: lds, percent: 50 }] } }\n';
  const { text } = checked(org(''));
  t.match(text, /\/orgs\/a\/seats: 1 seats are fewer than the 2 users/);
  t.match(text, /\/orgs\/a\/limits\/0\/percent: 50 % of the pool is less than its smallest unit/);
  t.notMatch(checked(org(', extra: 2')).text, /percent/);
});

t.test('fixed charges whose sum is too large, and one port twice', async (t) => {
  const text =
    'server: { gateway: "0.0.0.0:81", admin: "127.0.0.1:81" }\nquotas: { lds: }\n' +
    'upstreams: { m: { url: "http://m" } }\nidentity: { trusted: { peers: [::1] } }\nroutes:\n' +
    '  - { match: GET /, action: a, upstream: m, charges: [{ quota: lds, units: 9e15 }, { quota: lds, units: 1 }] }\n';
  const { text: printed } = checked(text);
  t.match(printed, /\/routes\/0\/charges: the sum of the charges on `lds` is too large/);
  t.match(printed, /\/server\/admin: `gateway` listens on 0.0.0.0:81 already/);
});

t.test('an upstream that is the gateway itself', async (t) => {
  const isLoop = (gateway: string, url: string): boolean => {
    const text = `server: { gateway: "${gateway}" }\nupstreams: { maps: { url: "${url}" } }\n`;
    return checked(text).text.includes('/upstreams/maps/url: this is the gateway itself, which listens on');
  };
  const here = ['localhost', '127.0.0.1', '127.0.0.2', '[::1]', '0.0.0.0', '[::]', 'LOCALHOST.'];
  for (const gateway of ['0.0.0.0:8080', '[::]:8080', '127.0.0.1:8080', 'localhost:8080', '[::1]:8080'])
    for (const host of here) {
      t.ok(isLoop(gateway, `http://${host}:8080`), `${gateway} and ${host}`);
      t.notOk(isLoop(gateway, `http://${host}:8081`), `${gateway} and ${host}: another port`);
    }
  t.ok(isLoop('10.0.0.5:80', 'http://10.0.0.5'), 'the port of the scheme');
  t.ok(isLoop('0.0.0.0:443', 'https://localhost'));
  t.ok(isLoop('gateway:8080', 'http://GATEWAY:8080'));
  t.notOk(isLoop('10.0.0.5:8080', 'http://127.0.0.1:8080'), 'another listener of this machine');
  t.notOk(isLoop('0.0.0.0:8080', 'http://maps:8080'));
  t.notOk(isLoop('127.0.0.1:8080', 'unix:///run/maps.sock'));
});

t.test('folders that cannot be written to, only when asked for', async (t) => {
  writeFileSync(join(folder, 'plain'), '');
  const text = (data: string, spool: string): string =>
    `store: { embedded: { path: ${data} } }\nspool: { path: ${spool} }\n`;
  const below = join(folder, 'plain', 'below', 'it');
  const bad = text(below, join(folder, 'plain'));
  t.equal(checked(bad).code, 0);
  const { code, text: printed } = checked(bad, {}, true);
  t.equal(code, 1);
  t.match(printed, /:1:\d+ \/store\/embedded\/path: the folder .*below.it cannot be written to \(/);
  t.match(printed, /:2:\d+ \/spool\/path: the folder .*plain cannot be written to \(.*plain is not a folder/);
  const sound = text(join(folder, 'new', 'data'), join(folder, 'new', 'spool'));
  t.equal(checked(sound, {}, true).code, 0);
  t.notOk(existsSync(join(folder, 'new')), 'nothing is made');
  const asRoot = process.getuid?.() === 0;
  mkdirSync(join(folder, 'read-only'), { mode: 0o500 });
  t.equal(checked(text(join(folder, 'read-only'), './s'), {}, true).code, asRoot ? 0 : 1);
});
