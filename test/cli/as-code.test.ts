// `quotagate export` writes what `apply` takes; apply shows the difference, and changes nothing while an org is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { createOrg } from '../../src/admin/index.js';
import { applyCommand, exportCommand } from '../../src/cli/as-code.js';
import { ACME, QUOTAS, startAcme, TOKEN } from '../admin/support.js';

const folder = mkdtempSync(join(tmpdir(), 'quotagate-test-'));
t.teardown(() => rmSync(folder, { recursive: true }));
const fileOf = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const tokenFile = fileOf('token', TOKEN);

async function run(name: 'export' | 'apply', ...words: string[]) {
  let [out, notes, error] = ['', '', ''];
  const outputs = {
    out: { write: (text: string) => (out += text) },
    notes: { write: (text: string) => (notes += text) },
  };
  const command = name === 'export' ? exportCommand(outputs) : applyCommand(outputs);
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(words, { from: 'user' }).catch((failure: Error) => {
    error = `${failure.message} ${failure.cause instanceof Error ? failure.cause.message : ''}`;
  });
  return { out, notes, error };
}

t.test('export, change, dry run, apply, apply again', async (t) => {
  const { url, send, ledger } = await startAcme(t);
  await createOrg(ledger, { id: 'globex', seed: ACME, quotas: QUOTAS });
  const to = ['--admin', url, '--token-file', tokenFile];
  const exported = await run('export', ...to);
  t.equal(exported.error, '');
  const content = parse(exported.out);
  t.same(Object.keys(content.orgs), ['acme', 'globex']);
  t.same(Object.keys(parse((await run('export', ...to, '--org', 'globex')).out).orgs), ['globex']);
  content.orgs.acme.limits.push({ user: 'ann', quota: 'usage', percent: 20 });
  delete content.orgs.globex.users;
  const file = fileOf('orgs.yaml', stringify(content));
  const line = '+ acme limit:usage:u:ann {"percent":20,"offset":0,"shadow":false}\n';
  t.same(await run('apply', ...to, '-f', file, '--dry-run'), {
    out: line,
    notes: '1 difference, nothing changed\n',
    error: '',
  });
  t.equal((await send('GET', '/orgs/acme/limits/usage:u:ann')).status, 404);
  t.same(await run('apply', ...to, '-f', file, '--reason', 'x'), {
    out: line,
    notes: '1 difference, applied\n',
    error: '',
  });
  t.equal((await send('GET', '/orgs/acme/limits/usage:u:ann')).body.cap, 1_000);
  t.same(await run('apply', ...to, '-f', file), { out: '', notes: '0 differences, applied\n', error: '' });
  t.match(
    (await run('apply', ...to, '-f', fileOf('p.yaml', 'orgs: { acme: { users: { ann: {} } } }'), '--prune'))
      .out,
    /^~ acme user:bob /,
  );
});

t.test('one refused org: nothing changes, and the message names it', async (t) => {
  const { url, send, ledger } = await startAcme(t);
  await createOrg(ledger, { id: 'globex', seed: ACME, quotas: QUOTAS });
  const to = ['--admin', url, '--token-file', tokenFile];
  const file = fileOf('bad.yaml', 'orgs: { acme: { name: New }, globex: { seats: 1 } }');
  t.match((await run('apply', ...to, '-f', file)).error, /^org globex .*seats-taken/);
  t.equal((await send('GET', '/orgs/acme')).body.name, 'acme');
  for (const [text, error] of [
    ['{}', /states no orgs/],
    ['orgs: { acme: 1 }', /orgs\/acme is not a map/],
    ['quotas: {}', /may state orgs only/],
  ] as const)
    t.match((await run('apply', ...to, '-f', fileOf('x.yaml', text))).error, error);
});
