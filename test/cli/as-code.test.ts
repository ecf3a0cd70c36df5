// `quotagate export` writes what `apply` takes; apply shows the difference, and changes nothing while an org is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { createOrg } from '../../src/admin/index.js';
import { applyCommand, exportCommand } from '../../src/cli/as-code.js';
import { StoreError } from '../../src/ledger/port.js';
import { scanAll } from '../../src/ledger/scan-all.js';
import { webhooksIn } from '../../src/notify/webhooks.js';
import { ACME, QUOTAS, startAcme, startAdmin, TOKEN } from '../admin/support.js';

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

t.test(
  'a store that fails between two orgs: the message says which are applied, and a repetition finishes',
  async (t) => {
    let fails = true;
    const { url, send, ledger } = await startAdmin(t, (memory) => {
      const commit: typeof memory.commit = (org, change) => {
        if (org === 'globex' && fails && change.version !== 0) throw new StoreError('no answer', false);
        return memory.commit(org, change);
      };
      return Object.assign(Object.create(memory), { commit });
    });
    const ids = ['acme', 'globex', 'initech'];
    for (const id of ids) await createOrg(ledger, { id, seed: ACME, quotas: QUOTAS });
    const to = ['--admin', url, '--token-file', tokenFile];
    const file = fileOf(
      'three.yaml',
      stringify({ orgs: Object.fromEntries(ids.map((id) => [id, { seats: 9 }])) }),
    );
    t.match(
      (await run('apply', ...to, '-f', file)).error,
      /^org globex is not applied \(applied before: acme; not yet: initech; run apply again/,
    );
    const seats = () => Promise.all(ids.map(async (id) => (await send('GET', `/orgs/${id}`)).body.seats));
    t.same(await seats(), [9, 3, 3]);
    fails = false;
    t.match(await run('apply', ...to, '-f', file), { notes: '2 differences, applied\n', error: '' });
    t.same(await seats(), [9, 9, 9]);
    const audit = await Promise.all(ids.map((id) => send('GET', `/orgs/${id}/audit?action=org.apply`)));
    t.same(
      audit.map(({ body }) => body.items.length),
      [1, 1, 1],
      'one entry each',
    );
  },
);

t.test('secrets of webhooks come from files beside the file', async (t) => {
  const { url, ledger } = await startAcme(t);
  const to = ['--admin', url, '--token-file', tokenFile];
  const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
  fileOf('chat', `${secret}\n`);
  const stated = (more: object) =>
    fileOf('hooks.yaml', stringify({ orgs: { acme: { notices: { webhooks: { chat: { ...more } } } } } }));
  const webhook = { url: 'https://a.example/x', secretFile: 'chat' };
  const applied = await run('apply', ...to, '-f', stated(webhook));
  t.match(applied, { out: /^\+ acme webhook:chat /, error: '' });
  t.notMatch(applied.out, /whsec/);
  t.match(webhooksIn(await scanAll(ledger, 'acme', 'notices')), [{ id: 'chat', secrets: [{ secret }] }]);
  t.match((await run('apply', ...to, '-f', stated(webhook))).notes, /^0 differences/);
  const exported = await run('export', ...to);
  t.match(parse(exported.out).orgs.acme.notices.webhooks, {
    chat: { url: 'https://a.example/x', enabled: true },
  });
  t.notMatch(exported.out, /secret/);
  for (const [more, error] of [
    [{ secret }, /webhooks\/chat\/secret: state secretFile/],
    [{ secretFile: 5 }, /secretFile is not a path/],
    [{ secretFile: 'missing' }, /ENOENT/],
  ] as const)
    t.match((await run('apply', ...to, '-f', stated({ url: 'https://a.example/', ...more }))).error, error);
});
