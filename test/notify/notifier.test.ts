// Notices are told once each, to every recipient, whatever fails in between.
import type { Ledger } from '../../src/ledger/port.js';
import { scanAll } from '../../src/ledger/scan-all.js';
import { DeliveryError } from '../../src/notify/channels.js';
import { deliveriesIn } from '../../src/notify/deliveries.js';
import { defaultSettings } from '../../src/notify/settings.js';
import { newSecret } from '../../src/notify/webhooks.js';
import { startReceiver, verify } from '../support/webhook-receiver.js';
import { HOUR_MS, type Notified, onBothNotified } from './support.js';

const DAY_MS = 24 * HOUR_MS;
/** Of the lease of a killed process. */
const LEASE_LEFT_MS = 2_000;
const headlines = ({ smtp }: Notified): string[] =>
  smtp.mails.flatMap(({ text }) => text.match(/^.*(reached \d+ %|was refused).*$/gm) ?? []);

onBothNotified(
  'a blocked user is told to the admins, by e-mail and webhook, and is an event',
  async (t, notified) => {
    const { smtp } = notified;
    const receiver = await startReceiver(t);
    const secret = newSecret();
    const webhook = { url: receiver.url, enabled: true, createdAt: 1, secrets: [{ secret, until: 0 }] };
    await notified.put('webhook:w1', webhook);
    await notified.put('webhook:w2', { ...webhook, enabled: false });
    const email = { enabled: true, admins: true, recipients: ['ops@example.com', 'BOSS@example.com'] };
    await notified.put('settings', { ...defaultSettings(), email });
    const replica = notified.replica();
    t.equal(await notified.use('ana', 990, 'usage', 'geocoding'), 'admitted');
    await notified.settle(replica);
    t.same(smtp.mails, [], 'users are told about at 100 % only');
    t.equal(await notified.use('ana', 20, 'usage', 'geocoding'), 'refused');
    await notified.settle(replica);
    t.same(smtp.mails.map(({ to }) => to.toLowerCase()).sort(), ['boss@example.com', 'ops@example.com']);
    t.equal(smtp.mails[0]?.subject, '[Acme] User “Ana Smith” (ana) was refused: usage limit');
    t.match(smtp.mails[0]?.text, 'geocoding');
    const [hook] = receiver.received;
    if (hook === undefined) throw new Error('no webhook');
    const notice = {
      kind: 'blocked',
      scope: 'user',
      subject: 'ana',
      name: 'Ana Smith',
      quota: 'usage',
      action: 'geocoding',
      user: 'ana',
      limit: 100,
      consumed: 99,
      requested: 2,
      resetsAt: '2026-06-19T22:00:00.000Z',
    };
    t.match(verify(secret, hook), {
      type: 'notices',
      data: { org: 'acme', orgName: 'Acme', notices: [notice] },
    });
    t.equal(receiver.received.length, 1);
    t.match(await notified.events(), [notice]);
    t.equal(await notified.use('ana', 20, 'usage', 'geocoding'), 'refused');
    await notified.settle(replica);
    t.equal(smtp.mails.length, 2, 'once');
    t.same(
      [...(await scanAll(notified.ledger, 'acme', 'notices')).keys()].sort(),
      ['settings', 'webhook:w1', 'webhook:w2'],
      'nothing is left',
    );
    t.same(replica.notes.sent.sort(), ['email 1', 'email 1', 'webhook 1']);
  },
);

onBothNotified(
  'the defaults: users at 100 %, groups and the org at 50, 80, 90 and 100 %',
  async (t, notified) => {
    const replica = notified.replica();
    await notified.use('ana', 1_000);
    await notified.use('bob', 10, 'ai');
    await notified.settle(replica);
    t.same(headlines(notified), ['User “Ana Smith” (ana) reached 100 % of the usage limit']);
    t.equal((await notified.events()).length, 1);
    await notified.use('ana', 1);
    await notified.use('bob', 950_000, 'ai');
    await notified.settle(replica);
    t.same(headlines(notified).slice(1), [
      'User “Ana Smith” (ana) was refused: usage limit',
      'The org acme reached 50 % of its ai pool',
      'The org acme reached 80 % of its ai pool',
      'The org acme reached 90 % of its ai pool',
    ]);
    t.equal(notified.smtp.mails.length, 2, 'many at once are one message');
  },
);

onBothNotified(
  'while the server is down nothing is lost, and what comes meanwhile is collected',
  async (t, notified) => {
    const { smtp } = notified;
    const replica = notified.replica();
    await smtp.stop();
    await notified.use('ana', 1_000);
    await notified.settle(replica);
    t.match(replica.notes.failed, [/ECONNREFUSED|closed/]);
    t.match(replica.notes.waiting, { deliveries: 1 });
    for (const user of ['bob', 'ana']) {
      await notified.use(user, 1_000);
      await notified.settle(replica);
    }
    t.match(replica.notes.waiting, { deliveries: 2 }, 'one that was attempted, one that collects');
    t.equal(replica.notes.failed.length, 1, 'they wait for the next attempt');
    await notified.wait(60_000);
    await notified.settle(replica);
    t.equal(smtp.mails.length, 0);
    await smtp.start();
    await notified.wait(60_000);
    await notified.settle(replica);
    t.same(headlines(notified).sort(), [
      'User bob reached 100 % of the usage limit',
      'User “Ana Smith” (ana) reached 100 % of the usage limit',
      'User “Ana Smith” (ana) was refused: usage limit',
    ]);
    t.equal(smtp.mails.length, 2);
    t.equal(new Set(smtp.mails.map(({ messageId }) => messageId)).size, 2);
    t.equal(replica.notes.waiting, undefined);
  },
);

onBothNotified(
  'a greylisted message arrives later under its id, and delays no other recipient',
  async (t, notified) => {
    const { smtp } = notified;
    smtp.mode = 'greylist';
    const email = { enabled: true, admins: false, recipients: ['one@example.com', 'two@example.com'] };
    await notified.put('settings', { ...defaultSettings(), email });
    const replica = notified.replica();
    await notified.use('bob', 1_000);
    await notified.settle(replica);
    t.equal(replica.notes.failed.length, 2);
    const ids = deliveriesIn(await scanAll(notified.ledger, 'acme', 'notices')).list.map(({ id }) => id);
    await notified.wait(8_000);
    await notified.settle(replica);
    t.same(
      smtp.mails.map(({ messageId }) => messageId).sort(),
      ids.map((id) => `<${id}@example.com>`).sort(),
    );
  },
);

onBothNotified(
  'a delivery is repeated for three days, then listed, and forgotten after its retention',
  async (t, notified) => {
    const { smtp } = notified;
    smtp.mode = 'failing';
    const replica = notified.replica();
    await notified.use('bob', 1_000);
    const beganAt = notified.now;
    await notified.settle(replica);
    while (replica.notes.gaveUp.length === 0) {
      await notified.wait(10 * 60_000);
      await notified.settle(replica);
    }
    t.ok(notified.now - beganAt >= 3 * DAY_MS);
    t.ok(replica.notes.failed.length >= 75, `${replica.notes.failed.length} attempts`);
    t.match(replica.notes.gaveUp, [/no space/]);
    const { list } = deliveriesIn(await scanAll(notified.ledger, 'acme', 'notices'));
    t.match(list, [{ delivery: { nextAt: 0, error: /no space/, notices: 1 } }]);
    t.equal(replica.notes.waiting, undefined);
    await notified.wait(30 * DAY_MS);
    await notified.settle(replica);
    t.same([...(await scanAll(notified.ledger, 'acme', 'notices')).keys()], []);
  },
);

onBothNotified(
  'a delivery in flight at a kill is repeated under its id, with the same content',
  async (t, notified) => {
    const { smtp, ledger } = notified;
    let dead = false;
    // The process ends after the server has the message, before the ledger knows.
    smtp.onMail = () => {
      dead = true;
    };
    const leaseMs: number[] = [];
    const dying = new Proxy(ledger, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (dead) return new Promise(() => undefined);
          if (name !== 'lease') return value.apply(target, args);
          const [job, holder, ms] = args as [string, string, number];
          leaseMs.push(ms);
          // As if it took its lease long ago.
          return value.apply(target, [job, holder, Math.min(ms, LEASE_LEFT_MS)]);
        };
      },
    }) as Ledger;
    const killed = notified.replica({ ledger: dying });
    await notified.use('bob', 1_000);
    while (smtp.mails.length === 0) {
      killed.notifier.look('acme');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    smtp.onMail = () => undefined;
    await notified.use('ana', 1_000);
    await ledger.lease('notices:acme', 'nobody', 1);
    const other = notified.replica();
    if (ledger.name === 'redis') {
      other.notifier.look('acme');
      await new Promise((resolve) => setTimeout(resolve, 200));
      t.equal(smtp.mails.length, 1, 'not before the lease of the killed process ends');
      await new Promise((resolve) => setTimeout(resolve, LEASE_LEFT_MS));
    }
    t.equal(Math.max(...leaseMs), 15_000, 'its lease');
    await notified.settle(other);
    const [first, ...others] = smtp.mails;
    const again = others.filter(({ messageId }) => messageId === first?.messageId);
    t.match(again, [{ text: first?.text }]);
    t.same(headlines(notified).sort(), [
      'User bob reached 100 % of the usage limit',
      'User bob reached 100 % of the usage limit',
      'User “Ana Smith” (ana) reached 100 % of the usage limit',
    ]);
  },
);

onBothNotified('replicas that look at once send one message', async (t, notified) => {
  const replicas = Array.from({ length: 3 }, () => notified.replica());
  if (notified.ledger.name === 'embedded') return; // One process only.
  for (const user of ['bob', 'ana']) {
    await notified.use(user, 1_000);
    await notified.settle(...replicas);
  }
  t.equal(notified.smtp.mails.length, 2);
});

onBothNotified(
  'one message has at most 500 notices, and a recipient who fails delays no other',
  async (t, notified) => {
    const failing = new DeliveryError('the mailbox is full');
    const sent: [string, number][] = [];
    const email = { enabled: true, admins: false, recipients: ['full@example.com', 'ok@example.com'] };
    await notified.put('settings', { ...defaultSettings(), email });
    const mail = async (address: string, _id: string, { notices }: { notices: readonly unknown[] }) => {
      if (address.startsWith('full')) throw failing;
      sent.push([address, notices.length]);
    };
    const replica = notified.replica({ channels: { mail } });
    const { version } = await notified.ledger.read('acme', []);
    const users = Array.from({ length: 1_100 }, (_, index) => `u${index}`);
    const changes = users.map((user) => ({ set: 'limits', field: `usage:u:${user}`, value: '10' }) as const);
    await notified.ledger.commit('acme', { version, changes, audit: '' });
    for (const user of users) await notified.use(user, 10);
    await notified.settle(replica);
    // And the pool's 50 to 90 %, which all have crossed on their way.
    const told = sent.reduce((sum, [, notices]) => sum + notices, 0);
    t.equal(told, (await notified.events()).length);
    t.ok(told >= 1_100);
    t.ok(
      sent.length === 3 && sent.every(([address, notices]) => address === 'ok@example.com' && notices <= 500),
      JSON.stringify(sent),
    );
    t.equal(replica.notes.failed.length, 1, 'the other two wait for that one');
  },
);

onBothNotified(
  'nobody to tell: counted and an event, and the outbox is emptied',
  async (t, notified) => {
    const replica = notified.replica();
    await notified.use('ana', 1_000);
    await notified.settle(replica);
    t.equal(replica.notes.unheard, 1);
    t.equal((await notified.events()).length, 1);
    t.same(await notified.ledger.log('acme', 'outbox', '', 10), []);
  },
  { users: { ana: { role: 'admin' }, bob: { email: 'bob@example.com' } } },
);

onBothNotified('a raised limit is told about again', async (t, notified) => {
  const replica = notified.replica();
  await notified.use('ana', 1_000);
  await notified.settle(replica);
  const { version } = await notified.ledger.read('acme', []);
  const changes = [{ set: 'limits', field: 'usage:u:ana', value: '2000' }] as const;
  await notified.ledger.commit('acme', { version, changes, audit: '' });
  await notified.use('ana', 1_000);
  await notified.settle(replica);
  t.equal(headlines(notified).filter((line) => line.includes('Ana Smith')).length, 2);
});

onBothNotified('a refusal that nobody is to be told about still is an event', async (t, notified) => {
  const settings = defaultSettings();
  await notified.put('settings', { ...settings, refusals: { ...settings.refusals, users: false } });
  const replica = notified.replica();
  t.equal(await notified.use('ana', 1_010), 'refused');
  await notified.settle(replica);
  t.same(notified.smtp.mails, []);
  t.equal(replica.notes.unheard, 0);
  t.match(await notified.events(), [{ kind: 'blocked', scope: 'user', subject: 'ana' }]);
});
