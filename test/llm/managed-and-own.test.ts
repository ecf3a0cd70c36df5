// Models of a provider and own ones are two APIs of one config: what both consume is one budget.
import t from 'tap';
import { factsOf, post } from './raw.js';
import { setUp, totalOf } from './support.js';

t.test('a provider and own models consume one budget', async (t) => {
  const bed = await setUp(t);
  const send = (api: 'openai-chat' | 'ollama') => {
    const { path, body } = factsOf(api);
    return post(bed.url + path, { headers: bed.headers, body: body('Where is the sea?', false) });
  };
  t.equal((await send('openai-chat')).status, 200);
  const managed = totalOf(bed.last().usage);
  await bed.settles(t, managed, 'the answer of the provider');
  t.equal((await send('ollama')).status, 200);
  const both = managed + totalOf(bed.last().usage);
  await bed.settles(t, both, 'and that of the own model');
  await bed.limit('ana', both);
  t.equal((await send('openai-chat')).status, 429);
  t.equal((await send('ollama')).status, 429);
});
