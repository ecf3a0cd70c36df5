// Exactly the addresses in the listed subnets are trusted, for IPv4 and IPv6 separately.
import t from 'tap';
import { trustedPeers } from '../../src/identify/peers.js';

const CASES: [peers: string[], address: string | undefined, trusted: boolean][] = [
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.1.2.3/8'], '10.9.9.9', true],
  [['10.0.0.0/8'], '::ffff:10.1.1.1', true],
  [['10.0.0.0/8'], '::FFFF:10.1.1.1', true],
  [['10.0.0.0/8'], '::ffff:11.1.1.1', false],
  [['192.0.2.7'], '192.0.2.7', true],
  [['192.0.2.7'], '192.0.2.8', false],
  [['192.0.2.7/32', '198.51.100.0/24'], '198.51.100.200', true],
  [['0.0.0.0/0'], '203.0.113.1', true],
  [['0.0.0.0/0'], '::1', false],
  [['::/0'], '2001:db8::1', true],
  [['::/0'], '203.0.113.1', false],
  [['::/0'], '::ffff:203.0.113.1', false],
  [['2001:db8::/33'], '2001:db8:7fff::1', true],
  [['2001:db8::/33'], '2001:db8:8000::1', false],
  [['fe80::/10'], 'fe80::1%eth0', true],
  [['::1'], '::1', true],
  [[], '127.0.0.1', false],
  [['127.0.0.1/32'], undefined, false],
  [['127.0.0.1/32'], '', false],
  [['127.0.0.1/32'], 'localhost', false],
];

t.test('an address is trusted by its subnet', async (t) => {
  for (const [peers, address, trusted] of CASES) {
    const isTrusted = trustedPeers(peers);
    t.equal(isTrusted(address), trusted, `${address} in ${peers}`);
    t.equal(isTrusted(address), trusted, `${address} in ${peers}, remembered`);
  }
});

t.test('what is not a subnet is refused at start', async (t) => {
  for (const peer of [
    '',
    'localhost',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '10.0.0.0/-1',
    '10.0.0.0/1e1',
    '::ffff:10.0.0.0/104',
  ])
    t.throws(() => trustedPeers([peer]), /is neither an address nor a subnet/, peer);
});
