// The client of the admin API has the types of the OpenAPI document as it is now.
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { GENERATOR, generate, head, TYPES } from '../../scripts/client/types.js';

t.test('the types are made from the present document', async (t) => {
  t.ok(readFileSync(TYPES, 'utf8').startsWith(head()), `${TYPES} is out of date: run npm run client`);
});

const skip =
  process.env.CI !== 'true' &&
  !existsSync(`${GENERATOR}/node_modules`) &&
  'the generator is not installed: npm run client installs it';

t.test('the types are what the generator makes', { skip }, async (t) => {
  t.ok(readFileSync(TYPES, 'utf8') === generate(), `${TYPES} is out of date: run npm run client`);
});
