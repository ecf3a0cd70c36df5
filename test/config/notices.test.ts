// Mistakes in the settings of notices.
import t from 'tap';
import { linesOf, mistakesOf } from './support.js';

const CIDR =
  'is not an IP address or a range of them – write an address or a range in CIDR form, such as 10.0.0.0/8 or ::1';

t.test('all of them are reported', async (t) => {
  const text = `smtp:
  { host: "mail:25", from: nobody, security: none, username: u, password: p, passwordFile: /f }
webhooks: { allow: [localhost, 10.0.0.0/40] }
admin: { publicUrl: quota.example.com }
retention: { auditDays: 0 }
`;
  t.strictSame(linesOf(mistakesOf(text)), [
    '2:11 /smtp/host: "mail:25" is not a host – write a host name or an address, such as smtp.example.com',
    '2:28 /smtp/from: "nobody" is not an e-mail address – write an address such as ana@example.com',
    '2:46 /smtp/security: the password would be sent without TLS – write starttls or tls',
    '2:92 /smtp/passwordFile: `password` is set too – keep one of the two',
    `3:21 /webhooks/allow/0: "localhost" ${CIDR}`,
    `3:32 /webhooks/allow/1: "10.0.0.0/40" ${CIDR}`,
    '4:21 /admin/publicUrl: "quota.example.com" is not a web address – write https://host/path',
    '5:25 /retention/auditDays: 0 is out of bounds – write a whole number from 1 to 3660',
  ]);
});

t.test('a login in part', async (t) => {
  t.strictSame(linesOf(mistakesOf('smtp: { host: mail, from: a@example.com, username: u }\n')), [
    '1:52 /smtp/username: a user without a password – add `passwordFile`, or remove `username`',
  ]);
});
