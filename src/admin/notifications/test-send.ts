/** Test messages: sent at once and not repeated, so that the answer says whether they arrived. */
import Type from 'typebox';
import { readOrg } from '../../ledger/view/org-view.js';
import { DeliveryError } from '../../notify/channels.js';
import { targetsOf } from '../../notify/targets.js';
import { MANAGERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, ok } from '../http/endpoint.js';
import { invalid } from '../http/problems.js';
import { members, words } from '../http/validate.js';
import { changeOrg, writeContext } from '../writes/change.js';
import { addressesNow, noticeTable, SETTINGS_WANT, settingsOf, targetView } from './read.js';
import { TestResults } from './schemas.js';

const Body = members({ target: Type.Optional(words(254)) });

const send = endpoint({
  id: 'sendTestNotice',
  method: 'POST',
  path: '/orgs/:org/notifications/test',
  summary: 'Send a test message to everyone who gets notices, or to one address or webhook of them',
  roles: MANAGERS,
  body: Body,
  example: {},
  answers: { 200: TestResults },
  handle: async (admin, request) => {
    const targets = await targetsNow(admin, request.params.org, request.body.target);
    const to = { targets: targets.map((target) => targetView(target).target) };
    await changeOrg(admin, writeContext(request, undefined), {
      decide: () => ({
        changes: [],
        auditEvent: { action: 'notifications.test', subject: 'notifications', to },
        answer: undefined,
      }),
    });
    return ok({ items: await Promise.all(targets.map((one) => sendTest(admin, request.params.org, one))) });
  },
});

export const TEST_ENDPOINTS = [send];

async function targetsNow(admin: Admin, org: string, wanted: string | undefined) {
  const settings = settingsOf(await readOrg(admin, org, SETTINGS_WANT));
  const table = await noticeTable(admin, org);
  const targets = await targetsOf(table, addressesNow(admin, org, settings));
  const chosen = targets.filter((one) => wanted === undefined || targetView(one).target === wanted);
  if (wanted !== undefined && chosen.length === 0)
    throw invalid('target', `${wanted} gets no notices: use an address or webhook of GET /notifications`);
  return chosen;
}

async function sendTest({ notifier }: Admin, org: string, target: string) {
  const error = await (notifier === undefined
    ? Promise.reject(new DeliveryError('this process delivers no notices'))
    : notifier.test(org, target)
  ).then(
    () => null,
    (reason: unknown) => {
      if (reason instanceof DeliveryError) return reason.message;
      throw reason;
    },
  );
  return { ...targetView(target), delivered: error === null, error };
}
