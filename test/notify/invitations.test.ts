// An invitation by mail is queued with the user, sent once over all replicas, and retried.

import type { Test } from 'tap';
import { buildAdmin } from '../../src/admin/index.js';
import { scanAll } from '../../src/ledger/scan-all.js';
import { deliveriesIn } from '../../src/notify/deliveries.js';
import { invitationChanges } from '../../src/notify/invitations.js';
import { checkResponses } from '../admin/support.js';
import { HOUR_MS, type Notified, onBothNotified } from './support.js';

const TOKEN = 'a-token-for-tests';
const EVE = { id: 'eve', name: 'Eve <Jones>', email: 'eve@example.com', mail: true };

function adminOf(t: Test, { ledger }: Notified) {
  const app = buildAdmin({
    ledger,
    quotas: { usage: { unit: 'units', decimals: 1 }, ai: { unit: 'tokens', decimals: 0 } },
    bootstrapToken: TOKEN,
    invitationMail: { changesFor: invitationChanges },
  });
  checkResponses(t, app);
  t.teardown(() => app.close());
  return async (method: 'GET' | 'POST', path: string, payload?: object, key = '') => {
    const idempotency = key === '' ? {} : { 'idempotency-key': key };
    const authorization = `Bearer ${TOKEN}`;
    const headers = { authorization, 'content-type': 'application/json', ...idempotency };
    const answer = await app.inject({
      method,
      url: `/v1/orgs/acme${path}`,
      headers: method === 'GET' ? { authorization } : headers,
      ...(payload === undefined ? {} : { payload }),
    });
    return { status: answer.statusCode, body: answer.json() };
  };
}

onBothNotified('one mail over all replicas, whatever is repeated', async (t, notified) => {
  const { smtp, ledger } = notified;
  const send = adminOf(t, notified);
  t.match(await send('POST', '/users', EVE, 'k1'), { status: 201, body: { status: 'invited' } });
  t.match(await send('POST', '/users', EVE, 'k1'), { status: 201 });
  t.match(await send('POST', '/users', EVE), { status: 409 });
  const work = await ledger.pendingWork('acme');
  t.ok(work !== undefined && work.noticesDue > 0 && work.noticesDue <= work.now, 'due at once');
  // The embedded ledger has one process only, which has every lease.
  const replicas = Array.from({ length: ledger.name === 'redis' ? 3 : 1 }, () => notified.replica());
  await notified.settle(...replicas);
  const [mail] = smtp.mails;
  t.equal(smtp.mails.length, 1);
  t.match(mail, { to: 'eve@example.com', subject: '[Acme] You are invited to Acme', secured: true });
  t.match(mail?.text, /Hello Eve <Jones>,/);
  t.match(mail?.text, /bootstrap has invited you to Acme. Your user id is eve\./);
  t.match(mail?.html, /Eve &lt;Jones&gt;/);
  t.same(deliveriesIn(await scanAll(ledger, 'acme', 'notices')).list, [], 'nothing is left');
});

onBothNotified('a mail that fails is retried', async (t, notified) => {
  const { smtp } = notified;
  const replica = notified.replica();
  smtp.mode = 'greylist';
  await adminOf(t, notified)('POST', '/users', EVE);
  await notified.settle(replica);
  t.match(replica.notes.failed, [/greylisted/]);
  t.same(smtp.mails, []);
  await notified.wait(10_000);
  await notified.settle(replica);
  t.equal(smtp.mails.length, 1);
  t.same(replica.notes.sent, ['email 0']);
});

onBothNotified('a mail that is given up after three days can be sent again', async (t, notified) => {
  const { smtp } = notified;
  const send = adminOf(t, notified);
  const replica = notified.replica();
  smtp.mode = 'failing';
  await send('POST', '/users', EVE);
  await notified.settle(replica);
  await notified.wait(73 * HOUR_MS);
  await notified.settle(replica);
  t.equal(replica.notes.gaveUp.length, 1);
  const [failure] = (await send('GET', '/notifications/failures')).body.items;
  t.match(failure, { channel: 'email', target: EVE.email, invited: 'eve', notices: [], attempts: 2 });
  smtp.mode = 'ok';
  t.match(await send('POST', `/notifications/failures/${failure.id}/resend`, {}), { status: 200 });
  await notified.settle(replica);
  t.same(
    smtp.mails.map(({ messageId }) => messageId),
    [`<${failure.id}@example.com>`],
    'under its old message id',
  );
});

onBothNotified('an invitation is not mixed with notices to the same address', async (t, notified) => {
  const { smtp } = notified;
  const send = adminOf(t, notified);
  await send('POST', '/users', { ...EVE, email: 'boss@example.com' });
  await notified.use('ana', 1_000);
  await notified.settle(notified.replica());
  t.same(
    smtp.mails.map(({ to }) => to),
    ['boss@example.com', 'boss@example.com'],
  );
  const subjects = smtp.mails.map(({ subject }) => subject).sort();
  t.match(subjects, [
    '[Acme] User “Ana Smith” (ana) reached 100 % of the usage limit',
    '[Acme] You are invited to Acme',
  ]);
});

onBothNotified('a user who is not added gets no mail', async (t, notified) => {
  const send = adminOf(t, notified);
  t.match(await send('POST', '/users', { ...EVE, groups: ['none'] }), { status: 422 });
  await notified.settle(notified.replica());
  t.same(notified.smtp.mails, []);
});
