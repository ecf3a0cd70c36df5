// The decision itself checks an API key: a valid key charges its holder; a revoked, expired or wrong one gets nothing.
import { BEGIN_MS, del, fixed, onBoth, reserve, set } from '../../support/ledgers.js';

const HASH = 'a'.repeat(64);
const OTHER = 'b'.repeat(64);

onBoth(
  'a key charges its holder',
  { plans: { usage: 100 }, limits: { 'usage:u:ana': 10 }, users: { ana: 'a:g1' }, groups: ['g1'] },
  async (t, testOrg) => {
    await testOrg.commit(
      set('keys', 'k1', `${HASH}|ana|0`),
      set('keys', 'k2', `${HASH}|ana|${BEGIN_MS + 1_000}`),
    );
    const by = (key: string, units = 4) => ({ ...reserve('', [fixed('usage', units)]), key });

    t.match(await testOrg.do(by(`k1:${HASH}`)), { status: 'admitted', user: 'ana', groups: 'g1' });
    t.equal(await testOrg.line('usage:u:ana'), '4+0');
    t.match(await testOrg.do(by(`k1:${OTHER}`)), { status: 'denied', reason: 'invalid-key' });
    t.match(await testOrg.do(by(`nope:${HASH}`)), { status: 'denied', reason: 'invalid-key' });
    t.match(await testOrg.do(by('')), { status: 'denied', reason: 'invalid-key' });
    t.match(await testOrg.do(by(`k1:${HASH}`, 7)), { status: 'refused', reason: 'spent', user: 'ana' });
    t.match(await testOrg.do(by(`k2:${HASH}`)), { status: 'admitted', user: 'ana' });
    await testOrg.at(BEGIN_MS + 1_000);
    t.match(await testOrg.do(by(`k2:${HASH}`, 1)), { status: 'denied', reason: 'invalid-key' }, 'expired');
    await testOrg.commit(del('keys', 'k1'));
    t.match(await testOrg.do(by(`k1:${HASH}`, 1)), { status: 'denied', reason: 'invalid-key' }, 'revoked');
    await testOrg.commit(set('members', 'ana', 'r:'), set('keys', 'k3', `${HASH}|ana|0`));
    t.match(
      await testOrg.do(by(`k3:${HASH}`, 1)),
      { status: 'denied', reason: 'inactive-user' },
      'a holder who left',
    );
    t.equal(await testOrg.line('usage:u:ana'), '8+0');
  },
);
