// A step of the delivery of notices happens as a whole, or not at all; the kept logs are trimmed by time.
import { fixed, onBoth, reserve } from '../../support/ledgers.js';

const ORG = {
  plans: { usage: 1000 },
  users: { ana: 'a:' },
  limits: { 'usage:u:ana': 100 },
  thresholds: '50,100',
};
const NONE = { expects: [], changes: [], events: [] };

onBoth('entries of the outbox become deliveries and events in one step', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  await testOrg.call([reserve('ana', fixed('usage', 50))]);
  await testOrg.call([reserve('ana', fixed('usage', 50))]);
  await testOrg.call([reserve('ana', fixed('usage', 1))]);
  const entries = await ledger.log(org, 'outbox', '', 2);
  const outbox = { first: entries[0]?.id ?? '', last: entries[1]?.id ?? '' };
  const version = await testOrg.orgField('version');
  const changes = [
    ['delivery:1', 'mail'],
    ['due', '7'],
  ] as const;
  const step = { outbox, expects: [['due', null]] as const, changes, events: ['{"a":1}', '{"b":2}'] };
  t.equal(await ledger.stepNotices(org, step), true);
  t.same(await testOrg.fields('notices'), { 'delivery:1': 'mail', due: '7' });
  t.same(await testOrg.texts('events'), ['{"a":1}', '{"b":2}']);
  t.match(await testOrg.texts('outbox'), [/^refused/]);
  t.equal(await testOrg.orgField('version'), version, 'the directory is unchanged');
  t.equal(await ledger.stepNotices(org, { ...step, expects: [] }), false, 'once');
  t.same(await testOrg.texts('events'), ['{"a":1}', '{"b":2}']);
});

onBoth('a field that changed meanwhile stops a step', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  t.equal(
    await ledger.stepNotices(org, {
      ...NONE,
      changes: [
        ['a', '1'],
        ['b', ''],
      ],
    }),
    true,
  );
  for (const expects of [
    [['a', '2']],
    [['a', null]],
    [['c', '']],
    [
      ['a', '1'],
      ['b', null],
    ],
  ] as const)
    t.equal(
      await ledger.stepNotices(org, { ...NONE, expects, changes: [['a', null]], events: ['no'] }),
      false,
    );
  t.same(await testOrg.texts('events'), []);
  t.equal(
    await ledger.stepNotices(org, {
      ...NONE,
      expects: [
        ['a', '1'],
        ['b', ''],
      ],
      changes: [['a', null]],
    }),
    true,
  );
  t.same(await testOrg.fields('notices'), { b: '' });
});

onBoth('the outbox and what is due are work', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  t.match(await ledger.pendingWork(org), { firstNotice: '', noticesDue: 0, firstAudit: '', firstEvent: '' });
  await testOrg.call([reserve('ana', fixed('usage', 50))]);
  await ledger.stepNotices(org, { ...NONE, changes: [['due', '1234:x']], events: ['{}'] });
  await ledger.append(org, 'audit', '{}');
  const found = await ledger.pendingWork(org);
  t.equal(found?.firstNotice, (await ledger.log(org, 'outbox', '', 1))[0]?.id);
  t.equal(found?.noticesDue, 1234);
  t.equal(found?.firstAudit, (await ledger.log(org, 'audit', '', 1))[0]?.id);
  t.equal(found?.firstEvent, (await ledger.log(org, 'events', '', 1))[0]?.id);
});

onBoth('a kept log loses the entries from before a time', ORG, async (t, testOrg) => {
  const { ledger, org } = testOrg;
  for (let entry = 0; entry < 5; entry += 1) await ledger.append(org, 'audit', String(entry));
  const [first] = await ledger.log(org, 'audit', '', 1);
  const at = Number(first?.id.split('-')[0]);
  await ledger.trim(org, 'audit', at);
  t.same(await testOrg.texts('audit'), ['0', '1', '2', '3', '4']);
  await ledger.trim(org, 'audit', at + 3_600_000);
  t.same(await testOrg.texts('audit'), []);
  await ledger.append('*tokens*', 'audit', 'x');
  t.equal((await ledger.logBack('*tokens*', 'audit', '', 1))[0]?.text, 'x');
});
