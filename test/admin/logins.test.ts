// Logins in the audit log of tokens: who used the API on which day, once over all replicas.
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { MadeLogins } from '../../src/admin/access/made-logins.js';
import { TOKEN_ORG } from '../../src/admin/tokens/token-store.js';
import { openEmbedded } from '../../src/ledger/embedded/index.js';
import { type Ledger, StoreError } from '../../src/ledger/port.js';
import { scanAll } from '../../src/ledger/scan-all.js';
import { tokenOf } from './requests.js';
import { bearer, NOON, onBothLedgers, type Send } from './support.js';

const DAY_MS = 86_400_000;

async function loginsOf(send: Send, who: string): Promise<{ readonly at: string }[]> {
  return (await send('GET', `/audit?action=login.succeed&who=${encodeURIComponent(who)}`)).body.items;
}

/** Entries are written behind the answers. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200 && !(await isSo()); tries += 1) await delay(10);
}

onBothLedgers('the first use of a token on a day is one entry, over all replicas', async (t, replicas) => {
  const { ledger, one, other, setClock } = replicas;
  const { id, text } = await tokenOf(ledger, 'admin', 'all');
  const use = () =>
    Promise.all([one, other, one, other].map((send) => send('GET', '/orgs', undefined, bearer(text))));
  await use();
  await until(async () => (await loginsOf(one, id)).length > 0);
  await use();
  const entries = await loginsOf(one, id);
  t.equal(entries.length, 1);
  t.match(entries[0], { action: 'login.succeed', who: `admin (${id})`, subject: 'peer:127.0.0.1' });
  await until(async () => (await loginsOf(one, 'bootstrap')).length > 0);
  t.equal((await loginsOf(one, 'bootstrap')).length, 1, 'the bootstrap token too');
  await setClock(NOON + DAY_MS);
  const later = new MadeLogins(ledger);
  const again = new MadeLogins(ledger);
  for (const logins of [later, again, later]) logins.note({ who: `admin (${id})`, peer: '127.0.0.1' });
  await Promise.all([later.settled(), again.settled()]);
  t.equal((await loginsOf(one, id)).length, 2, 'one more on the next day');
  const days = [...(await scanAll(ledger, TOKEN_ORG, 'records'))].filter(([field]) => /^login:/.test(field));
  t.ok(days.length <= 2, 'what earlier days left is deleted');
});

t.test('an entry that the store did not take is written with a later request', async (t) => {
  const memory = await openEmbedded({ clock: () => NOON });
  t.teardown(() => memory.close());
  let isDown = true;
  const read: Ledger['read'] = async (...args) => {
    if (isDown) throw new StoreError('down', 'unknown');
    return memory.read(...args);
  };
  let now = 0;
  const logins = new MadeLogins(Object.assign(Object.create(memory), { read }), () => now);
  const entries = async () => (await memory.logBack(TOKEN_ORG, 'audit', '', 10)).length;
  const login = async () => {
    logins.note({ who: 'ana', peer: '10.0.0.7' });
    await logins.settled();
  };
  await login();
  isDown = false;
  await login();
  t.equal(await entries(), 0, 'not with each request');
  now = 60_000;
  await login();
  t.equal(await entries(), 1);
  now += 1_000;
  await login();
  t.equal(await entries(), 1);
});
