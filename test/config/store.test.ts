// Where the store is: exactly one form, and every error in it.
import t from 'tap';
import { loadConfig } from '../../src/config/load.js';
import { linesOf, mistakesOf } from './support.js';

t.test('a Redis behind Sentinels', async (t) => {
  const text = `store: { sentinel: { name: m, hosts: ['a:26379', '[::1]:26380'], username: u, tls: {} } }`;
  const sentinel = { name: 'm', hosts: ['a:26379', '[::1]:26380'], username: 'u', database: 0, tls: {} };
  t.strictSame(loadConfig(text, {}).store, { sentinel, deadlineMs: 50, holdMs: 60_000, whenDown: 'closed' });
  const variables = {
    QUOTAGATE_STORE_SENTINEL_NAME: 'm',
    QUOTAGATE_STORE_SENTINEL_HOSTS: 'a:26379, [::1]:26380',
    QUOTAGATE_STORE_SENTINEL_PASSWORD: '0123',
  };
  t.match(loadConfig('', variables).store, { sentinel: { hosts: sentinel.hosts, password: '0123' } });
});

t.test('a Redis Cluster', async (t) => {
  const cluster = { hosts: ['a:6379', 'b:6379'], passwordFile: '/p' };
  const text = `store: { cluster: ${JSON.stringify(cluster)}, deadlineMs: 20 }`;
  t.strictSame(loadConfig(text, {}).store, { cluster, deadlineMs: 20, holdMs: 60_000, whenDown: 'closed' });
  const wrong = 'store: { cluster: { hosts: [], password: x, passwordFile: /p }, sentinel: {} }';
  t.strictSame(linesOf(mistakesOf(wrong)), [
    '1:28 /store/cluster/hosts: a list is out of bounds – write a list of host:port',
    '1:59 /store/cluster/passwordFile: `password` is set too – keep one of the two',
    '1:65 /store/sentinel: `sentinel` cannot be combined with `cluster` – keep one of the two',
  ]);
});

t.test('two places of the store', async (t) => {
  const text = 'store:\n  redis: redis://h\n  sentinel: { name: m, hosts: [a:26379] }\n';
  t.strictSame(linesOf(mistakesOf(text)), [
    '3:3 /store/sentinel: `sentinel` cannot be combined with `redis` – keep one of the two',
  ]);
});

t.test('Sentinels that cannot be reached so', async (t) => {
  const text = `store:
  sentinel:
    hosts: [a, "b:0", "c:26379", "c:26379"]
    password: secret
    passwordFile: /p
    tls: { certificate: { cert: /c } }
    database: 2000
`;
  t.strictSame(linesOf(mistakesOf(text)), [
    '3:5 /store/sentinel/name: `name` is missing – add `name`: 1 to 200 characters',
    '3:12 /store/sentinel/hosts: contains duplicates – write a list of host:port',
    '3:13 /store/sentinel/hosts/0: "a" is not the address of a server – write host:port, such as redis-0:26379 or [::1]:26379',
    '3:16 /store/sentinel/hosts/1: "b:0" is not the address of a server – write host:port, such as redis-0:26379 or [::1]:26379',
    '5:19 /store/sentinel/passwordFile: `password` is set too – keep one of the two',
    '6:25 /store/sentinel/tls/certificate/key: `key` is missing – add `key`: the path of a file',
    '7:15 /store/sentinel/database: 2000 is out of bounds – write a whole number from 0 to 1023',
  ]);
});

t.test('TLS settings for a URL without TLS', async (t) => {
  t.strictSame(linesOf(mistakesOf('store:\n  redis: redis://h\n  tls: {}\n')), [
    '3:8 /store/tls: the URL is not `rediss://` – write rediss://host:port, or remove `tls`',
  ]);
});
