// `quotagate token` creates, lists and revokes admin tokens through the admin listener; its output for scripts is only
// the token.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { tokenCommand } from '../../src/cli/token.js';
import { startAcme, TOKEN } from '../admin/support.js';

interface Ran {
  readonly out: string;
  readonly notes: string;
  /** Why it failed. */
  readonly error: string;
}

const folder = mkdtempSync(join(tmpdir(), 'quotagate-test-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const tokenFile = fileOf('token', `${TOKEN}\n`);

async function run(...words: string[]): Promise<Ran> {
  let [out, notes, error] = ['', '', ''];
  const write = { write: (text: string) => (out += text) };
  const command = tokenCommand({ out: write, notes: { write: (text: string) => (notes += text) } });
  for (const one of [command, ...command.commands])
    one.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(words, { from: 'user' }).catch((failure: Error) => {
    error = failure.message;
  });
  return { out, notes, error };
}

t.test('create, list, revoke', async (t) => {
  const { url, send, clock } = await startAcme(t);
  clock.now = Date.now();
  const to = ['--admin', `${url}/`, '--token-file', tokenFile];
  const words = ['--name', 'Grafana', '--role', 'viewer', '--orgs', 'acme', '--expires', '90d'];
  const made = await run('create', ...to, ...words, '--reason', 'dashboard');
  t.equal(made.error, '');
  t.match(made.out, /^qga_\w+_\w+\n$/, 'the token and nothing else');
  const id = made.out.split('_')[1] ?? '';
  t.match(
    made.notes,
    `token ${id}: viewer, orgs acme, expires ${new Date(clock.now + 90 * 86_400_000).getFullYear()}`,
  );
  const by = { authorization: `Bearer ${made.out.trim()}` };
  t.equal((await send('GET', '/orgs/acme', undefined, by)).status, 200);
  const { items } = (await send('GET', '/audit?action=token')).body;
  t.match(items[0], { action: 'token.add', subject: `token:${id}`, reason: 'dashboard' });

  await run('create', ...to, '--name', 'root', '--role', 'admin', '--orgs', 'all');
  const [head = '', first = '', second = '', ...rest] = (await run('list', ...to)).out.split('\n');
  t.match(head, /^ID +NAME +ROLE +ORGS +EXPIRES +CREATED BY$/);
  t.match(first, new RegExp(`^${id}  Grafana  viewer  acme  \\d{4}-\\S+Z  bootstrap$`));
  t.match(second, /^\w+ +root +admin +all +never +bootstrap$/);
  t.same(rest, ['']);
  t.equal(second.indexOf('root'), head.indexOf('NAME'));
  t.match(JSON.parse((await run('list', '--json', ...to)).out), [{ id, orgs: ['acme'] }, { orgs: 'all' }]);

  const revoked = await run('revoke', id, ...to, '--reason', 'leaked');
  t.same(revoked, { out: '', notes: `token ${id} revoked\n`, error: '' });
  t.equal((await send('GET', '/orgs/acme', undefined, by)).status, 401);
  t.match((await send('GET', '/audit')).body.items.slice(0, 2), [
    { action: 'login.fail' },
    { action: 'token.delete', reason: 'leaked' },
  ]);
});

t.test('what goes wrong is reported in one sentence, without the token', async (t) => {
  const { url } = await startAcme(t);
  const to = ['--admin', url, '--token-file', tokenFile];
  const words = ['--name', 'x', '--role', 'viewer', '--orgs', 'nobody'];
  const failed = async (...all: string[]) => {
    const { out, notes, error } = await run(...all);
    t.equal(out + notes, '');
    t.notMatch(error, TOKEN);
    return error;
  };
  t.match(await failed('create', ...to, ...words), 'orgs: org nobody not found (input-invalid)');
  t.match(await failed('revoke', 'nobody', ...to), 'token nobody not found (not-found)');
  const wrong = fileOf('wrong', 'qga_wrong');
  t.match(await failed('list', '--admin', url, '--token-file', wrong), '(token-invalid)');
  t.match(
    await failed('list', '--admin', 'http://127.0.0.1:1', '--token-file', tokenFile),
    /cannot reach the admin API/,
  );
  t.match(await failed('list', '--admin', `${url}/x`, '--token-file', tokenFile), '(not-found)');
  t.match(await failed('list', '--admin', url, '--token-file', join(folder, 'nothing')), 'ENOENT');
  t.match(await failed('list', '--admin', url), '--token-file');
  t.match(
    await failed('create', ...to, '--name', 'x', '--role', 'owner', '--orgs', 'all'),
    'Allowed choices are admin',
  );
  t.match(await failed('create', ...to, ...words, '--expires', 'soon'), 'Expected an instant such as');
});

t.test('all tokens are listed, however many', async (t) => {
  const { url, send } = await startAcme(t);
  const token = { name: 'bot', role: 'viewer', orgs: 'all' };
  for (let count = 0; count < 510; count += 1) await send('POST', '/tokens', token);
  const { out } = await run('list', '--admin', url, '--token-file', tokenFile, '--json');
  t.equal(new Set((JSON.parse(out) as { id: string }[]).map(({ id }) => id)).size, 510);
});
