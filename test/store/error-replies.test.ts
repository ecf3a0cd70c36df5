// Error replies of Redis 6.2.14, 7.0.15 and Valkey 8 are classified by their exact text, and a demoted master is left.
import { Redis } from 'ioredis';
import t from 'tap';
import type { StoreError } from '../../src/ledger/port.js';
import { Connection } from '../../src/ledger/redis/connection.js';
import { readErrorReply } from '../../src/ledger/redis/error-reply.js';
import { openRedis } from '../../src/ledger/redis/index.js';
import { until } from '../e2e/load.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { redis62, skipWithoutRedis, startRedis } from '../support/redis.js';

const SHA = '08be99c76f7a10d96dc9ea23ee73a858e02d5ce8';
const in6 = (text: string): string =>
  `ERR Error running script (call to f_${SHA}): @user_script:12: @user_script: 12: ${text}`;
const in7 = (text: string): string => `${text} script: ${SHA}, on @user_script:12.`;

const READONLY = "READONLY You can't write against a read only replica.";
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
const MISCONF =
  'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.';
const NOREPLICAS = 'NOREPLICAS Not enough good replicas to write.';
const MASTERDOWN = "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";

type Row = readonly [message: string, code: string, ran: false | 'unknown', leave: boolean];

const ROWS: readonly Row[] = [
  // The first write was refused: the script wrote nothing.
  ...[(text: string) => text, (text: string) => in6(`-${text}`), in7].flatMap((form): Row[] => [
    [form(READONLY), 'READONLY', false, true],
    [form(OOM), 'OOM', false, false],
    [form(MISCONF), 'MISCONF', false, false],
    [form(NOREPLICAS), 'NOREPLICAS', false, true],
  ]),
  // The call itself was refused.
  [MASTERDOWN, 'MASTERDOWN', false, true],
  ['NOSCRIPT No matching script. Please use EVAL.', 'NOSCRIPT', false, false],
  ['LOADING Redis is loading the dataset in memory', 'LOADING', false, false],
  ['LOADING Valkey is loading the dataset in memory', 'LOADING', false, false],
  [
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'BUSY',
    false,
    false,
  ],
  ['NOAUTH Authentication required.', 'NOAUTH', false, false],
  ['WRONGPASS invalid username-password pair or user is disabled.', 'WRONGPASS', false, false],
  [
    "NOPERM this user has no permissions to run the 'evalsha' command or its subcommand",
    'NOPERM',
    false,
    false,
  ],
  ["NOPERM User app has no permissions to run the 'evalsha' command", 'NOPERM', false, false],
  ['CLUSTERDOWN The cluster is down', 'CLUSTERDOWN', false, false],
  ['MOVED 3999 127.0.0.1:6381', 'MOVED', false, false],
  ['ASK 3999 127.0.0.1:6381', 'ASK', false, false],
  ['TRYAGAIN Multiple keys request during rehashing of slot', 'TRYAGAIN', false, false],
  ["CROSSSLOT Keys in request don't hash to the same slot", 'CROSSSLOT', false, false],
  ['ERR max number of clients reached', 'ERR', false, false],
  ["ERR unknown command 'evalsha', with args beginning with: ", 'ERR', false, false],
  // Redis kills only scripts that have written nothing.
  [
    `ERR Error running script (call to f_${SHA}): @user_script:1: Script killed by user with SCRIPT KILL...`,
    'ERR',
    false,
    false,
  ],
  [in7('ERR Script killed by user with SCRIPT KILL...'), 'ERR', false, false],
  // A command in the middle of a script failed: its earlier writes stay.
  [in6("The user executing the script can't run this command or subcommand"), 'NOPERM', 'unknown', false],
  [in7("ERR The user executing the script can't run this command or subcommand"), 'NOPERM', 'unknown', false],
  [
    in7("NOPERM ACL failure in script: User app has no permissions to run the 'hset' command"),
    'NOPERM',
    'unknown',
    false,
  ],
  [
    in6(
      "The user executing the script can't access at least one of the keys mentioned in the command arguments",
    ),
    'NOPERM',
    'unknown',
    false,
  ],
  [in7(MASTERDOWN), 'MASTERDOWN', 'unknown', true],
  [
    `ERR Error running script (call to f_${SHA}): @user_script:1: WRONGTYPE Operation against a key holding the wrong kind of value`,
    'ERR',
    'unknown',
    false,
  ],
  [in7('WRONGTYPE Operation against a key holding the wrong kind of value'), 'ERR', 'unknown', false],
  [in7('CLUSTERDOWN The cluster is down'), 'CLUSTERDOWN', 'unknown', false],
  [in7('ERR Script attempted to access a non local key in a cluster node'), 'ERR', 'unknown', false],
  // Texts that only look like error codes.
  [in6('user_script:1: READONLY no code'), 'ERR', 'unknown', false],
  [in7('ERR user_script:1: READONLY no code'), 'ERR', 'unknown', false],
  ['ERR value is not an integer or out of range', 'ERR', 'unknown', false],
  ['constructor', 'ERR', 'unknown', false],
];

t.test('each text maps to a code, whether the script ran, and whether to reconnect', async (t) => {
  for (const [message, code, ran, leave] of ROWS)
    t.match(readErrorReply(message), { code, ran, leave }, message);
});

const servers = [
  { name: 'the redis-server on PATH', command: undefined, skip: skipWithoutRedis },
  { name: 'Redis 6.2', command: redis62, skip: redis62 === undefined && 'QUOTAGATE_REDIS_62 is not set' },
];

for (const { name, command, skip } of servers)
  t.test(`the ledger leaves a demoted master and finds the new one: ${name}`, { skip }, async (t) => {
    const start = () => startRedis(command === undefined ? {} : { command });
    const [old, next] = [await start(), await start()];
    const proxy = await FaultProxy.start(old.socket);
    const ledger = await openRedis({ url: proxy.url });
    const admin = new Redis(old.socket, { protocol: 2 });
    t.teardown(async () => {
      admin.disconnect();
      await ledger.close();
      await proxy.close();
      await Promise.all([old.stop(), next.stop()]);
    });
    await admin.replicaof('127.0.0.1', '1');
    proxy.target = next.socket;
    const changes = [{ set: 'org', field: 'name', value: 'x' }] as const;
    const failure = await ledger.commit('*meta*', { version: 0, changes, audit: '' }).catch((error) => error);
    t.match(failure, { name: 'StoreError', ran: false, message: /READONLY/ });
    await until('the new master is found', () => ledger.ready);
    t.equal((await ledger.commit('*meta*', { version: 0, changes, audit: '' }))?.version, 1);
  });

for (const { name, command, skip } of servers)
  t.test(`a script whose first write is refused counts as not run: ${name}`, { skip }, async (t) => {
    const redis = await startRedis(command === undefined ? {} : { command });
    const connection = new Connection({ url: redis.url });
    t.teardown(async () => {
      await connection.close();
      await redis.stop();
    });
    await connection.open();
    const script = "redis.call('HGET', KEYS[1], 'f') return redis.call('HSET', KEYS[1], 'f', '1')";
    const fail = () =>
      connection.ask('eval', [script, 1, 'k']).catch((error: unknown) => error as StoreError);
    const refused = async (setting: string, during: string, after: string, code: string): Promise<void> => {
      await connection.ask('config', ['set', setting, during]);
      t.match(await fail(), { ran: false, message: new RegExp(code) }, code);
      await connection.ask('config', ['set', setting, after]);
    };
    await refused('maxmemory', '1', '0', 'OOM');
    await refused('min-replicas-to-write', '1', '0', 'NOREPLICAS');
    await connection.ask('set', ['k', 'a string']);
    t.match(await fail(), { ran: 'unknown', message: /WRONGTYPE/ });
  });
