// What somebody sees who starts the program for the first time: the demo on other ports, a port that is taken, no config, no secrets.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(ROOT, 'dist/src/main.js');

const folder = mkdtempSync(join(tmpdir(), 'quotagate-first-'));
t.teardown(() => rmSync(folder, { recursive: true }));

interface Started {
  readonly child: ChildProcess;
  readonly printed: { out: string; notes: string };
  readonly ended: Promise<number | null>;
}

interface How {
  readonly program?: string;
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Without the variables of the npm that runs the tests. */
function start(args: readonly string[], { program, cwd = folder, environment = {} }: How = {}): Started {
  const { PATH, HOME } = process.env;
  const command = program === undefined ? [process.execPath, MAIN, ...args] : [program, ...args];
  const child = spawn(command[0] ?? '', command.slice(1), { cwd, env: { PATH, HOME, ...environment } });
  const printed = { out: '', notes: '' };
  child.stdout.on('data', (piece: Buffer) => {
    printed.out += piece.toString();
  });
  child.stderr.on('data', (piece: Buffer) => {
    printed.notes += piece.toString();
  });
  return { child, printed, ended: once(child, 'close').then(([code]) => code as number | null) };
}

async function run(args: readonly string[], how?: How) {
  const { ended, printed } = start(args, how);
  return { code: await ended, ...printed };
}

async function takenPort(t: Test): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test('the demo on ports of choice prints sentences, and no line of JSON', async (t) => {
  const helped = run(['demo', '--help']);
  const ports = ['--port', '0', '--admin-port', '0', '--ops-port', '0'];
  const { child, printed, ended } = start(['demo', ...ports], {
    // The option wins.
    environment: { QUOTAGATE_LOG_LEVEL: 'info', QUOTAGATE_SERVER_GATEWAY: '127.0.0.1:1' },
  });
  t.teardown(() => child.kill('SIGKILL'));
  while (!printed.out.includes('3. ')) await once(child.stdout ?? child, 'data');
  const [, gateway = ''] = /gateway +http:\/\/(\S+)/.exec(printed.out) ?? [];
  const headers = { 'x-quota-org': 'acme', 'x-quota-user': 'ana' };
  t.equal((await fetch(`http://${gateway}/v3/maps/4/8/5`, { headers })).status, 200);
  t.equal((await fetch(`http://${gateway}/none`, { headers })).status, 404);
  child.kill('SIGINT');
  t.equal(await ended, 0);
  t.match(printed.notes, /^note: The listeners are open\. \(listening, gateway 127\.0\.0\.1:\d+, /m);
  t.match(
    printed.notes,
    /^note: The gateway refused a request\. \(request_refused, .*code route-unknown, status 404/m,
  );
  t.match(printed.notes, /^note: The process has stopped\. \(stopped, /m);
  t.notMatch(printed.out + printed.notes, /^\{/m);
  const { out: help } = await helped;
  for (const option of ['--port <port>', '--admin-port <port>', '--ops-port <port>']) t.match(help, option);
});

t.test('the demo names all ports that are taken, with a command that works', async (t) => {
  const [gateway, admin] = [await takenPort(t), await takenPort(t)];
  const ports = ['--port', `${gateway}`, '--admin-port', `${admin}`, '--ops-port', '0'];
  const inClone = { environment: { npm_lifecycle_event: 'demo', npm_package_name: 'quotagate' } };
  const [taken, one, refused] = await Promise.all([
    run(['demo', ...ports]),
    run(['demo', '--port', `${gateway}`], inClone),
    run(['demo', '--port', '70000']),
  ]);
  t.equal(taken.code, 1);
  t.equal(taken.out, '');
  t.match(
    taken.notes,
    `quotagate: these ports are taken: ${gateway}, ${admin}. Another process listens there`,
  );
  t.match(taken.notes, /\n {2}quotagate demo --port \d+ --admin-port \d+\n/);
  t.match(one.notes, /\n {2}npm run demo -- --port \d+/);
  t.equal(refused.code, 1);
  t.match(refused.notes, 'Write a number from 1 to 65535');
});

t.test('serve on a port that is taken', async (t) => {
  const port = await takenPort(t);
  const free = 'admin: 127.0.0.1:0, ops: 127.0.0.1:0';
  const file = join(folder, 'taken.yaml');
  writeFileSync(file, `server: { gateway: 127.0.0.1:${port}, ${free} }\nlog: { level: silent }\n`);
  const { code, notes } = await run(['serve', '-c', file]);
  t.equal(code, 1);
  t.match(
    notes,
    `quotagate: server.gateway: 127.0.0.1:${port} is taken: another process listens there. ` +
      'Stop it, or set another port: server.gateway in the config, or the variable QUOTAGATE_SERVER_GATEWAY (',
  );
});

t.test('npm start without a config', async (t) => {
  const [inClone, installed] = await Promise.all([
    run(['start', '--silent'], { program: 'npm', cwd: ROOT }),
    run(['serve']),
  ]);
  t.equal(inClone.code, 1);
  t.match(inClone.notes, /^quotagate: there is no quotagate\.yaml in .*: npm run demo\n$/);
  t.match(inClone.notes, 'npm start -- -c FILE');
  t.match(
    installed.notes,
    `there is no quotagate.yaml in ${folder}. Name a config (quotagate serve -c FILE)`,
  );
});

t.test('every secret that is missing is named with its setting, by serve and by check', async (t) => {
  const file = join(folder, 'secrets.yaml');
  writeFileSync(
    file,
    `server: { tls: { cert: none.crt, key: none.key } }
store:
  cluster:
    hosts: ['h:1']
    passwordFile: none.password
    tls: { caFile: none.ca, certificate: { cert: none.store.crt, key: none.store.key } }
upstreams: { maps: { url: http://maps, setHeaders: { x-key: { env: NONE } } } }
admin: { bootstrapTokenFile: none.token }
smtp: { host: h, from: a@acme.example, username: u, passwordFile: none.smtp }
`,
  );
  const [served, checked] = await Promise.all([
    run(['serve', '-c', file]),
    run(['check', '-c', file, '--secrets']),
  ]);
  t.equal(served.code, 1);
  t.equal(checked.code, 1);
  const lines = served.notes.trim().split('\n');
  t.strictSame(checked.out.trim().split('\n').slice(0, -1), lines, 'both say the same');
  const store = '/store/cluster';
  const expected = [
    ['/server/tls/cert', 'none.crt'],
    ['/server/tls/key', 'none.key'],
    [`${store}/passwordFile`, 'none.password'],
    [`${store}/tls/caFile`, 'none.ca'],
    [`${store}/tls/certificate/cert`, 'none.store.crt'],
    [`${store}/tls/certificate/key`, 'none.store.key'],
    ['/upstreams/maps/setHeaders/x-key', 'the environment variable NONE is not set'],
    ['/admin/bootstrapTokenFile', 'none.token'],
    ['/smtp/passwordFile', 'none.smtp'],
  ];
  t.equal(lines.length, expected.length, served.notes);
  for (const [index, [path = '', what = '']] of expected.entries()) {
    t.match(lines[index], `${path}: `);
    t.match(lines[index], what);
    t.match(lines[index], ' – create or correct it, or change the setting');
  }
});
