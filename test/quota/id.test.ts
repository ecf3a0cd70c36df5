// A user's token is one name for one id, has none of the characters that separate fields, and turns back into the id.
import fc from 'fast-check';
import t from 'tap';
import { isName, userIdOf, userKeyOf } from '../../src/quota/id.js';

t.test('any id of at most 256 bytes', async (t) => {
  const ids = fc.string({ unit: 'binary', minLength: 1, maxLength: 64 });
  fc.assert(
    fc.property(ids, (id) => {
      const token = userKeyOf(id);
      if (token === undefined) return Buffer.byteLength(id) > 256 || !id.isWellFormed();
      return /^[A-Za-z0-9._%-]+$/.test(token) && userIdOf(token) === id;
    }),
  );
  t.equal(userKeyOf("a!b~c*d'(e)"), 'a%21b%7Ec%2Ad%27%28e%29');
});

t.test('what is no id', async (t) => {
  for (const id of ['', 'x'.repeat(257), 'ü'.repeat(129), '\ud800'])
    t.equal(userKeyOf(id), undefined, JSON.stringify(id).slice(0, 20));
  for (const name of ['', 'a b', 'a:b', '{a}', 'ü', 'x'.repeat(65)]) t.notOk(isName(name), name);
});
