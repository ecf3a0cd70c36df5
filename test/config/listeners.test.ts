// `server.admin: off` is an address of no other listener, and excludes what only the admin listener uses.
import t from 'tap';
import { linesOf, mistakesOf } from './support.js';

t.test('the admin listener can be off', async (t) => {
  t.same(mistakesOf('server: { admin: off }\n'), []);
});

t.test('no other listener can be off', async (t) => {
  t.strictSame(linesOf(mistakesOf('server: { gateway: off }\n')), [
    '1:20 /server/gateway: "off" is not an address to listen on – write host:port, such as 0.0.0.0:8080 or [::1]:8080',
  ]);
});

t.test('what only the admin listener uses is refused without it', async (t) => {
  const text =
    'server:\n  admin: off\n  adminTls: { cert: /c, key: /k }\nadmin: { bootstrapTokenFile: /t }\n';
  t.strictSame(linesOf(mistakesOf(text)), [
    '3:13 /server/adminTls: `server.admin` is off – remove it, or write an address there',
    '4:30 /admin/bootstrapTokenFile: `server.admin` is off – remove it, or write an address there',
  ]);
});
