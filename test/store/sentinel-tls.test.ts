// Sentinels and servers with TLS, one of them by its URL, users and passwords that change: as the config states them.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { storeAddress } from '../../src/app/store-address.js';
import { loadConfig } from '../../src/config/load.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { selfSigned } from '../support/certificate.js';
import { skipWithoutRedis } from '../support/redis.js';
import { freePort, RedisNode, waitFor } from '../support/redis-node.js';

const HOST = 'redis.test';
const RULES = ['on', '>first', '~qg:*', '+@all'];

t.test('TLS, users, and a password that changes', { skip: skipWithoutRedis, timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quotagate-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    chmodSync(path, 0o644);
    return path;
  };
  const { cert, key } = await selfSigned(HOST);
  const [certFile, keyFile] = [file('cert.pem', cert), file('key.pem', key)];
  const tls = (port: number): string[] => [
    ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'yes'],
    ...['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile],
  ];
  const client = { tls: { ca: cert, cert, key, servername: HOST } };
  const [port, sentinelPort] = [await freePort(), await freePort()];
  const server = new RedisNode({ port, client, args: [...tls(port), '--save', ''] });
  const watched = `sentinel monitor m 127.0.0.1 ${port} 1\nsentinel down-after-milliseconds m 60000\n`;
  const sentinel = new RedisNode({
    port: sentinelPort,
    client: { ...client, password: 'watch' },
    file: file('sentinel.conf', watched),
    args: ['--sentinel', ...tls(sentinelPort), '--requirepass', 'watch', '--tls-replication', 'yes'],
  });
  t.teardown(() => Promise.all([server.close(), sentinel.close()]));
  await server.start();
  await sentinel.start();
  await server.send('HSET', 'qg:store', 'epoch', 'of-the-test');
  await server.send('ACL', 'SETUSER', 'quotas', ...RULES);

  const passwordFile = file('password', 'first');
  const settings = {
    name: 'm',
    hosts: [`127.0.0.1:${sentinelPort}`],
    username: 'quotas',
    passwordFile,
    sentinelAuth: { passwordFile: file('watch', 'watch') },
    tls: { caFile: certFile, certificate: { cert: certFile, key: keyFile }, serverName: HOST },
  };
  const { store } = loadConfig(JSON.stringify({ store: { sentinel: settings } }), {});
  if ('embedded' in store) throw new Error('no Sentinel');
  const errors: string[] = [];
  const ledger = await openRedis({ ...storeAddress(store), onError: ({ message }) => errors.push(message) });
  t.teardown(() => ledger.close());
  t.strictSame(await ledger.orgs(), []);
  const users = String(await server.send('CLIENT', 'LIST')).match(/user=quotas/g);
  t.equal(users?.length, 2, 'both connections are of the user');

  await server.send('ACL', 'SETUSER', 'quotas', 'resetpass', '>second');
  await server.send('CLIENT', 'KILL', 'USER', 'quotas');
  await waitFor('the old password is refused', async () =>
    errors.some((text) => text.startsWith('WRONGPASS')),
  );
  writeFileSync(passwordFile, 'second');
  await waitFor('the new password is read', async () => ledger.ready);
  t.strictSame(await ledger.orgs(), []);

  const other = { ...settings, tls: { ...settings.tls, serverName: 'other.test' } };
  const { store: wrong } = loadConfig(JSON.stringify({ store: { sentinel: other } }), {});
  if ('embedded' in wrong) throw new Error('no Sentinel');
  await t.rejects(openRedis(storeAddress(wrong)), { message: /^Redis cannot be reached: / });

  const url = { redis: `rediss://quotas@127.0.0.1:${port}`, passwordFile };
  const openUrl = (settings: object) => {
    const { store: single } = loadConfig(JSON.stringify({ store: settings }), {});
    if ('embedded' in single) throw new Error('no URL');
    return openRedis(storeAddress(single));
  };
  const single = await openUrl({ ...url, tls: settings.tls });
  t.strictSame(await single.orgs(), []);
  await single.close();
  await t.rejects(openUrl(url), { message: /^Redis cannot be reached/ }, 'its certificate is not trusted');
});
