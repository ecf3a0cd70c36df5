// The gateway's API key works as the key of the official clients: it is read where each client puts it, and is not sent
// upstream.
import t from 'tap';
import { admin } from '../support/gateway.js';
import { clients } from './clients.js';
import { setUp, totalOf } from './support.js';

t.test('keys', async (t) => {
  const identity = 'apiKeys: { headers: [authorization, x-api-key, x-goog-api-key, api-key] }';
  const bed = await setUp(t, { identity });
  const { status } = await admin(bed.admin, 'POST', '/orgs/acme/users', { id: 'eva' });
  t.equal(status, 201);
  const made = await admin(bed.admin, 'POST', '/orgs/acme/keys', { user: 'eva', name: 'sdk' });
  const { key, id } = made.body as { key: string; id: string };
  const target = { url: bed.url, headers: {}, apiKey: key };
  let consumed = 0;
  for (const client of clients(target)) {
    const { output } = await client.whole('Where is the sea? [[tokens=5]]', 100);
    // An embedding has no output; two images are edited at once.
    const due = client.api === 'openai-embeddings' ? 0 : client.name === 'openai images, edited' ? 10 : 5;
    t.equal(output, due, client.name);
    t.notOk(JSON.stringify(bed.last().headers).includes('qg_'), 'the key stays here');
    consumed += totalOf(bed.last().usage);
    await bed.settles(t, consumed, client.name);
  }
  await admin(bed.admin, 'DELETE', `/orgs/acme/keys/${id}`);
  const before = bed.sample.log.length;
  for (const client of clients(target)) await t.rejects(client.whole('', 100), client.name);
  t.equal(bed.sample.log.length, before, 'revoked, it opens nothing');
});
