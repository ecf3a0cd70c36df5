// E-mail by SMTP: with TLS and a login, readable as text and as HTML, and refused where it would be sent in clear.
import t from 'tap';
import { type MailOptions, mailChannel } from '../../src/notify/channels/mail.js';
import { DeliveryError } from '../../src/notify/channels.js';
import type { Message } from '../../src/notify/content/message.js';
import type { Notice } from '../../src/notify/notice.js';
import { startSmtp } from '../support/smtp.js';

const BLOCKED: Notice = {
  at: '2026-05-22T10:00:00.000Z',
  kind: 'blocked',
  scope: 'user',
  subject: 'ana',
  name: 'Ana <b>Smith</b>',
  quota: 'usage',
  unit: 'units',
  action: 'geocoding',
  user: 'ana',
  limit: 1_000,
  consumed: 996.5,
  requested: 50,
  cycleStart: '2026-05-20T00:00:00.000Z',
  resetsAt: '2026-06-20T00:00:00.000Z',
};
const { requested: _, ...REST } = BLOCKED;
const GROUP: Notice = {
  ...REST,
  kind: 'threshold',
  scope: 'group',
  subject: 'eng',
  name: 'Engineering',
  threshold: 80,
};

const message = (...notices: Notice[]): Message => ({
  org: 'acme',
  orgName: 'Acme',
  at: 0,
  notices,
  consoleUrl: 'https://quota.example.com/console/',
});

t.test('a notice names the subject, the quota, the action, what to do, and the console', async (t) => {
  const smtp = await startSmtp(t);
  const channel = mailChannel(smtp.mailOptions);
  t.teardown(() => channel.close());
  await channel.mail('admin@example.com', 'id-1', message(BLOCKED));
  const [mail] = smtp.mails;
  t.match(mail, { to: 'admin@example.com', messageId: '<id-1@example.com>', secured: true });
  t.equal(mail?.subject, '[Acme] User “Ana <b>Smith</b>” (ana) was refused: usage limit');
  for (const part of [
    'geocoding',
    '1,000 units',
    '996.5 units',
    '50 units',
    'Raise or delete the limit',
    'Cheaper requests may still fit',
  ])
    for (const text of [mail?.text, mail?.html]) t.ok(text?.includes(part), part);
  const limit = 'https://quota.example.com/console/orgs/acme/limits?quota=usage&raise=usage%3Au%3Aana';
  t.ok(mail?.text.includes(`Open the limit: ${limit}\n`), 'the link opens the limit');
  t.ok(mail?.html.includes(`href="${limit.replace('&', '&amp;')}"`));
  t.ok(mail?.text.includes('Console: https://quota.example.com/console/\n'));
  t.ok(mail?.html.includes('href="https://quota.example.com/console/"'));
  t.ok(mail?.html.includes('Ana &lt;b&gt;Smith'), 'names are escaped');
  t.ok(mail?.html.includes('width=device-width'), 'a phone shows it at its width');
  t.match(mail?.raw, /^Auto-Submitted: auto-generated/im);
});

t.test('many notices are one digest', async (t) => {
  const smtp = await startSmtp(t);
  const channel = mailChannel(smtp.mailOptions);
  t.teardown(() => channel.close());
  await channel.mail('admin@example.com', 'id-2', message(BLOCKED, GROUP));
  const [mail] = smtp.mails;
  t.equal(mail?.subject, '[Acme] 2 notices about limits');
  t.match(
    mail?.text,
    /User “Ana[\s\S]*Group “Engineering” \(eng\) reached 80 % of the usage limit[\s\S]*Nothing is refused yet/,
  );
});

const fails = (
  name: string,
  change: (options: MailOptions) => MailOptions,
  reason: RegExp,
  starttls = true,
) =>
  t.test(name, async (t) => {
    const smtp = await startSmtp(t, { starttls });
    const channel = mailChannel(change(smtp.mailOptions));
    t.teardown(() => channel.close());
    const error = await channel.mail('admin@example.com', 'id', message(BLOCKED)).then(
      () => undefined,
      (reason) => reason,
    );
    t.type(error, DeliveryError);
    t.match(error.message, reason);
    t.notMatch(error.message, 'a password');
    t.same(smtp.mails, []);
  });

fails('a wrong password', (options) => ({ ...options, password: 'wrong' }), /535|wrong login/);
fails('a certificate of nobody', ({ ca: _, ...options }) => options, /self.signed|certificate/i);
fails('a server without STARTTLS', (options) => ({ ...options, security: 'starttls' }), /STARTTLS/, false);

t.test('a server that is slow, refuses or fails', async (t) => {
  const smtp = await startSmtp(t);
  const channel = mailChannel({ ...smtp.mailOptions, timeoutMs: 300 });
  t.teardown(() => channel.close());
  const send = () => channel.mail('admin@example.com', 'id', message(BLOCKED));
  smtp.mode = 'greylist';
  await t.rejects(send(), /greylisted/);
  await send();
  smtp.mode = 'rejecting';
  await t.rejects(send(), /no such mailbox/);
  smtp.mode = 'failing';
  await t.rejects(send(), /no space/);
  smtp.mode = 'slow';
  await t.rejects(send(), /[Tt]imeout/);
  await smtp.stop();
  await t.rejects(send(), /ECONNREFUSED|closed/);
});

t.test('a relay on this network without TLS', async (t) => {
  const smtp = await startSmtp(t, { starttls: false });
  const channel = mailChannel(smtp.mailOptions);
  t.teardown(() => channel.close());
  await channel.mail('admin@example.com', 'id', { ...message(), consoleUrl: undefined });
  t.match(smtp.mails, [{ subject: '[Acme] Test message', secured: false }]);
});
