// Requests for raises do not grow without bound: each goes with its limit, or with the events of its time.
import { forgetRaiseRequests, type RaiseRequest } from '../../../src/notify/raise-requests.js';
import { BEGIN_MS, onBoth, START } from '../../support/ledgers.js';

const KEPT_MS = 3_600_000;
const ORG = {
  plans: { usage: 1_000 },
  users: { ana: 'a:', ben: 'a:', cyd: 'a:', dan: 'a:' },
  limits: { 'usage:u:ana': 100, 'usage:u:ben': 100, 'usage:u:cyd': 100, 'usage:u:dan': 100 },
};

const asked = (over: Partial<RaiseRequest>): string => {
  const request = { at: BEGIN_MS, cycle: START.start, user: 'ana', units: null, reason: '', state: 'open' };
  return JSON.stringify({ ...request, ...over });
};

onBoth(
  'requests go with their limit, or when events of their age go; open ones stay',
  ORG,
  async (t, testOrg) => {
    const { ledger, org } = testOrg;
    const requests = {
      'raise:usage:u:ana': asked({}),
      'raise:usage:u:ben': asked({ state: 'declined' }),
      'raise:usage:u:cyd': asked({ cycle: START.start - 1 }),
      'raise:usage:u:dan': asked({ state: 'raised', at: BEGIN_MS + 1 }),
      'raise:usage:u:gone': asked({}),
    };
    const changes = Object.entries({ ...requests, settings: '{}' });
    await ledger.stepNotices(org, { expects: [], changes, events: [] });
    const forget = async (): Promise<string[]> => {
      await forgetRaiseRequests(ledger, org, KEPT_MS);
      return Object.keys(await testOrg.fields('notices')).sort();
    };
    const all = [
      'raise:usage:u:ana',
      'raise:usage:u:ben',
      'raise:usage:u:cyd',
      'raise:usage:u:dan',
      'settings',
    ];
    await testOrg.at(BEGIN_MS + KEPT_MS - 1);
    t.same(await forget(), all, 'only the one without a limit is deleted');
    await testOrg.at(BEGIN_MS + KEPT_MS);
    t.same(
      await forget(),
      ['raise:usage:u:ana', 'raise:usage:u:dan', 'settings'],
      'answered and expired ones are',
    );
  },
);
