// A request has one valid id, and every place reports the same.
import t from 'tap';
import { headersOf } from '../support/raw.js';
import { rawSetupClient } from '../support/raw-setup.js';

const IDENTITY = ['host: a', 'x-quota-org: acme', 'x-quota-user: ana'];
const SOUND = /^[\w.:+/=@-]{1,128}$/;

const SENT = [
  ['a sound one goes on', ['x-request-id: abc-1'], 'abc-1'],
  ['none', [], undefined],
  ['one that breaks lines of logs', ['x-request-id: a "b" {c}'], undefined],
  ['an empty one', ['x-request-id:'], undefined],
  ['one that is too long', [`x-request-id: ${'a'.repeat(129)}`], undefined],
  ['two', ['x-request-id: abc-1', 'X-Request-ID: abc-2'], undefined],
] as const;

t.test('what the upstream gets', async (t) => {
  const orgs = '  acme: { plans: { usage: { allowance: 10 } } }';
  const { upstream, client } = await rawSetupClient(t, { orgs });
  for (const [title, fields, kept] of SENT) {
    await client.write(['GET /v3/unit HTTP/1.1', ...IDENTITY, ...fields, '', ''].join('\r\n')).answer();
    const ids = headersOf(upstream.log.at(-1)?.rawHeaders ?? [], 'x-request-id');
    t.equal(ids.length, 1, title);
    t.match(ids[0], kept ?? SOUND, title);
    if (kept === undefined) t.notMatch(ids[0], /abc|^a+$/, title);
  }
});
