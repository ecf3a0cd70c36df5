// Nothing is lost, and nothing told twice, over replicas, an outage of the SMTP server and a kill. `npm run faults` has the full size.
import t from 'tap';
import { skipWithoutRedis } from '../support/redis.js';
import { tryDelivery } from './delivery-trial.js';

t.test('each user and threshold is in exactly one message', { skip: skipWithoutRedis }, async (t) => {
  const { wrong, messages, notices, repeated } = await tryDelivery({
    users: 40,
    refusedOnly: 10,
    downMs: 3_000,
    loadMs: 6_000,
  });
  t.same(wrong, []);
  t.ok(messages >= 2 && messages < notices / 4, `${messages} messages for ${notices} notices: digests`);
  t.comment(`${messages} messages, ${repeated} repeated`);
});
