// Webhooks: signed, by both keys after a rotation, and kept away from what only the gateway can reach.
import t from 'tap';
import { addressGuard } from '../../src/notify/channels/address-guard.js';
import { webhookChannel } from '../../src/notify/channels/webhook.js';
import type { Message } from '../../src/notify/content/message.js';
import { webhookBody } from '../../src/notify/content/webhook.js';
import type { Notice } from '../../src/notify/notice.js';
import { newSecret, OVERLAP_MS, rotated, type Webhook } from '../../src/notify/webhooks.js';
import { startReceiver, verify } from '../support/webhook-receiver.js';

const NOW = Date.now();
const MESSAGE: Message = { org: 'acme', orgName: 'Acme', at: NOW, notices: [], consoleUrl: undefined };
const hook = (url: string, secret = newSecret()): Webhook => ({
  url,
  enabled: true,
  createdAt: 0,
  secrets: [{ secret, until: 0 }],
});
const channelTo = (...allow: string[]) => webhookChannel({ allow, timeoutMs: 2_000 });

t.test('each notice says where its limit is in the console', (t) => {
  const notice = { scope: 'user', subject: 'ana/1', quota: 'usage' } as Notice;
  const org = { ...notice, scope: 'org', subject: 'acme' } as const;
  const message = { ...MESSAGE, notices: [notice, org], consoleUrl: 'https://quota.example.com/console/' };
  const urls = (of: Message) =>
    JSON.parse(webhookBody(of)).data.notices.map((one: { limitUrl: string }) => one.limitUrl);
  t.same(urls(message), [
    'https://quota.example.com/console/orgs/acme/limits?quota=usage&raise=usage%3Au%3Aana%252F1',
    'https://quota.example.com/console/orgs/acme/settings?topUp=usage',
  ]);
  t.same(urls({ ...message, consoleUrl: undefined }), [null, null]);
  t.end();
});

t.test('a webhook is signed, and both keys sign for a day after a rotation', async (t) => {
  const receiver = await startReceiver(t);
  const channel = channelTo('127.0.0.1');
  t.teardown(() => channel.close());
  const [first, second] = [newSecret(), newSecret()];
  const before = hook(receiver.url, first);
  await channel.webhook(before, 'id-1', MESSAGE);
  const after = rotated(before, second, NOW);
  await channel.webhook(after, 'id-2', MESSAGE);
  const [one, two] = receiver.received;
  if (one === undefined || two === undefined) throw new Error('not received');
  t.equal(one.id, 'id-1');
  t.match(verify(first, one), { type: 'notices.test', data: { org: 'acme' } });
  t.throws(() => verify(second, one));
  t.ok(verify(first, two));
  t.ok(verify(second, two));
  const later = Date.now() + OVERLAP_MS + 1_000;
  await channel.webhook(after, 'id-3', { ...MESSAGE, at: later });
  const three = receiver.received[2];
  t.equal(String(three?.headers['webhook-signature']).split(' ').length, 1, 'then only the new one');
});

t.test('what is not 2xx is a failure; a redirect is not followed; 410 is final', async (t) => {
  const receiver = await startReceiver(t);
  const other = await startReceiver(t);
  const channel = channelTo('127.0.0.0/8');
  t.teardown(() => channel.close());
  receiver.location = other.url;
  for (const [status, final] of [
    [302, false],
    [307, false],
    [500, false],
    [410, true],
  ] as const) {
    receiver.status = status;
    await t.rejects(channel.webhook(hook(receiver.url), 'id', MESSAGE), {
      message: `the receiver answered ${status}`,
      final,
    });
  }
  t.same(other.received, []);
});

t.test('addresses that are not public are not reached, however they are written', async (t) => {
  const receiver = await startReceiver(t);
  const closed = channelTo();
  t.teardown(() => closed.close());
  const hosts = [
    '127.0.0.1',
    'localhost',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '0.0.0.0',
    '[::1]',
    '169.254.169.254',
    '10.0.0.1',
  ];
  for (const host of hosts)
    for (const scheme of ['http', 'https'])
      await t.rejects(
        closed.webhook(hook(`${scheme}://${host}:${receiver.port}/`), 'id', MESSAGE),
        /must not reach/,
        `${scheme}://${host}`,
      );
  t.same(receiver.received, []);
  const open = channelTo('127.0.0.1');
  t.teardown(() => open.close());
  await open.webhook(hook(`http://localhost:${receiver.port}/`), 'id', MESSAGE);
  t.equal(receiver.received.length, 1, 'a listed address, found by its name');
});

t.test('the rule for addresses', async (t) => {
  const { permits, listed } = addressGuard(['10.1.0.0/16', '::1']);
  const refused = [
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
  ];
  const refused6 = [
    '::',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::1',
    'nonsense',
    '',
  ];
  for (const address of [...refused, ...refused6]) t.equal(permits(address), false, address);
  for (const address of [
    '93.184.216.34',
    '2606:2800:220:1::1',
    '::ffff:93.184.216.34',
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '::1',
  ])
    t.equal(permits(address), true, address);
  t.equal(listed('93.184.216.34'), false);
});

t.test('a receiver that does not answer', async (t) => {
  const channel = webhookChannel({ allow: ['127.0.0.1'], timeoutMs: 200 });
  t.teardown(() => channel.close());
  const { createServer } = await import('node:net');
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address() as { port: number };
  await t.rejects(channel.webhook(hook(`http://127.0.0.1:${address.port}/`), 'id', MESSAGE), /[Tt]imeout/);
  await t.rejects(channel.webhook(hook('http://127.0.0.1:1/'), 'id', MESSAGE), /ECONNREFUSED/);
});
