// The change feed names each changed field that lists show, in the step that changes it.
import { FEED_KEPT } from '../../../src/ledger/change-feed.js';
import { del, fixed, incr, onBoth, reserve, set, type TestOrg } from '../../support/ledgers.js';

const ORG = { plans: { usage: 10 }, users: { ana: 'a:', ivy: 'i:' } };

/** The entries after the one of the org's creation. */
async function feed({ ledger, org }: TestOrg): Promise<string[]> {
  return (await ledger.log(org, 'changes', '', 100)).slice(1).map(({ text }) => text);
}

onBoth('a commit appends the fields that it changed, each once', ORG, async (t, testOrg) => {
  await testOrg.commit(
    set('limits', 'usage:u:ana', 5),
    set('limits', 'usage:u:ana', 6),
    del('members', 'ivy'),
    incr('records', 'members:g1#0', 1),
    set('org', 'name', 'Acme'),
  );
  t.same(await feed(testOrg), ['limits=usage:u:ana\nmembers=ivy\nrecords=members:g1#0']);
});

onBoth('a commit of other tables appends nothing', ORG, async (t, testOrg) => {
  await testOrg.commit(set('org', 'name', 'Acme'), set('cycles', '5', '6'));
  t.same(await feed(testOrg), []);
});

onBoth('a commit that is not made appends nothing', ORG, async (t, testOrg) => {
  const changes = [set('limits', 'usage:u:ana', 5)];
  t.equal(await testOrg.ledger.commit(testOrg.org, { version: 9, changes, audit: '' }), undefined);
  t.same(await feed(testOrg), []);
});

onBoth('a registration and an activation append the user, other calls nothing', ORG, async (t, testOrg) => {
  const one = (user: string) => reserve(user, fixed('usage', 1));
  await testOrg.call([one('zed'), one('ana'), one('ivy'), one('zed')]);
  t.same(await feed(testOrg), ['members=zed', 'members=ivy']);
});

onBoth('many fields of a table in one commit are noted as the table', ORG, async (t, testOrg) => {
  const many = Array.from({ length: 501 }, (_, index) => set('limits', `usage:u:u${index}`, 1));
  await testOrg.commit(...many, set('members', 'u1', 'a:'));
  t.same(await feed(testOrg), ['limits=*\nmembers=u1']);
});

onBoth('the feed keeps its last entries', ORG, async (t, testOrg) => {
  for (let index = 0; index < FEED_KEPT + 250; index += 1)
    await testOrg.commit(set('members', `u${index}`, 'a:'));
  const kept = await testOrg.ledger.log(testOrg.org, 'changes', '', 2 * FEED_KEPT);
  t.ok(kept.length >= FEED_KEPT && kept.length <= FEED_KEPT + 200, `${kept.length} are kept`);
  t.equal(kept.at(-1)?.text, `members=u${FEED_KEPT + 249}`);
});
