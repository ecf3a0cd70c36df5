// What the nodes of a Cluster say about slots, and whether a node is the one that the map names.
import t from 'tap';
import { StoreError } from '../../src/ledger/port.js';
import { ConnectionPair } from '../../src/ledger/redis/pair.js';
import { readSlotMap, redirectIn } from '../../src/ledger/redis/slot-map.js';
import { skipWithoutRedis } from '../support/redis.js';
import { freePort, RedisNode, waitFor } from '../support/redis-node.js';

const ASKED = { host: '10.0.0.1', port: 6379 };

t.test('owners by slot, with hosts that are left out', async (t) => {
  const slots = [
    [0, 99, ['10.0.0.2', 7000, 'two'], ['10.0.0.3', 7000, 'replica']],
    [100, 100, [null, 7001, 'one'], []],
    [102, 16_383, ['', 7002, 'three']],
  ];
  const { owners, epoch } = readSlotMap(slots, 'cluster_state:ok\r\ncluster_current_epoch:12\r\n', ASKED);
  t.equal(epoch, 12);
  t.equal(owners.length, 16_384);
  t.strictSame(owners[99], { host: '10.0.0.2', port: 7000, id: 'two' });
  t.strictSame(owners[100], { host: '10.0.0.1', port: 7001, id: 'one' });
  t.equal(owners[101], undefined);
  t.strictSame(owners[16_383], { host: '10.0.0.1', port: 7002, id: 'three' });
});

t.test('redirects of calls that did not run', async (t) => {
  const said = (message: string, ran: false | 'unknown' = false) =>
    redirectIn(new StoreError(message, ran), ASKED);
  t.strictSame(said('MOVED 3999 10.0.0.2:6381'), { kind: 'moved', to: { host: '10.0.0.2', port: 6381 } });
  t.strictSame(said('MOVED 3999 :6381'), { kind: 'moved', to: { host: '10.0.0.1', port: 6381 } });
  t.strictSame(said('ASK 3999 fd00::1:6381'), { kind: 'ask', to: { host: 'fd00::1', port: 6381 } });
  t.strictSame(said('TRYAGAIN Multiple keys request during rehashing of slot'), { kind: 'again' });
  t.strictSame(said('CLUSTERDOWN The cluster is down'), { kind: 'down' });
  for (const other of ['READONLY x', 'LOADING x', 'OOM x', 'ERR MOVED 1 a:1'])
    t.equal(said(other), undefined);
  t.equal(said('TRYAGAIN x', 'unknown'), undefined, 'a call that may have run is not sent again');
  t.equal(redirectIn(new Error('MOVED 1 a:1'), ASKED), undefined);
});

t.test('another node at the address is not used', { skip: skipWithoutRedis }, async (t) => {
  const port = await freePort(55_000);
  const node = new RedisNode({ port, args: ['--save', '', '--cluster-enabled', 'yes'] });
  await node.start();
  const id = String(await node.send('CLUSTER', 'MYID'));
  const errors: string[] = [];
  const onError = ({ message }: Error) => errors.push(message);
  const pair = new ConnectionPair({ node: { host: '127.0.0.1', port }, onError }, async () => undefined);
  t.teardown(() => Promise.all([pair.close(), node.close()]));
  pair.expect('other');
  pair.start();
  const text = `the node at this address is ${id}, and the Cluster expects other`;
  await waitFor('it is reported', async () => errors.includes(text));
  t.notOk(pair.ready);
  pair.expect(id);
  await waitFor('it is used', async () => pair.ready);
});
