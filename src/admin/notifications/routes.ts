/** Notices of an org: what it wants to be told, and whom to tell. */
import { readOrg } from '../../ledger/view/org-view.js';
import type { NoticeSettings } from '../../notify/settings.js';
import { MANAGERS, READERS } from '../access/roles.js';
import type { Admin } from '../admin.js';
import { endpoint, ok } from '../http/endpoint.js';
import { checkMatch } from '../http/etag.js';
import { members, Reason } from '../http/validate.js';
import { changeOrg, type WriteContext, type WritePlan, writeContext } from '../writes/change.js';
import { FAILURE_ENDPOINTS } from './failures.js';
import { etagOfSettings, notificationsView, SETTINGS_WANT, settingsOf } from './read.js';
import {
  EmailSettings,
  NotificationSettings,
  Notifications,
  RefusalsByScope,
  ThresholdsByScope,
} from './schemas.js';
import { TEST_ENDPOINTS } from './test-send.js';
import { WEBHOOK_ENDPOINTS } from './webhooks.js';
import { settingsChanges, settingsFrom } from './written-settings.js';

const Body = members({
  thresholds: ThresholdsByScope,
  refusals: RefusalsByScope,
  email: members(EmailSettings),
  reason: Reason,
});

const get = endpoint({
  id: 'getNotifications',
  method: 'GET',
  path: '/orgs/:org/notifications',
  summary: 'What the org is told about limits, and who is told',
  roles: READERS,
  answers: { 200: Notifications },
  handle: async (admin, { params: { org }, access }) => {
    const settings = settingsOf(await readOrg(admin, org, SETTINGS_WANT));
    return ok(await notificationsView(admin, { settings, org, access }));
  },
});

const put = endpoint({
  id: 'setNotifications',
  method: 'PUT',
  path: '/orgs/:org/notifications',
  summary: 'Set thresholds, switches and recipients of notices',
  roles: MANAGERS,
  body: Body,
  example: {
    thresholds: { users: [80, 100], groups: [50, 80, 90, 100], org: [50, 80, 90, 100] },
    refusals: { users: true, groups: true, org: true },
    email: { enabled: true, admins: true, recipients: ['ops@example.com'] },
    reason: 'earlier warning',
  },
  answers: { 200: NotificationSettings },
  ifMatch: true,
  handle: async (admin, request) => {
    const { reason, ...stated } = request.body;
    const settings = settingsFrom(stated);
    await putSettings(admin, writeContext(request, reason), settings);
    return ok({ ...settings, etag: etagOfSettings(settings) });
  },
});

export const NOTIFICATION_ENDPOINTS = [
  get,
  put,
  ...WEBHOOK_ENDPOINTS,
  ...TEST_ENDPOINTS,
  ...FAILURE_ENDPOINTS,
];

async function putSettings(admin: Admin, context: WriteContext, to: NoticeSettings): Promise<void> {
  const text = JSON.stringify(to);
  await changeOrg(admin, context, {
    reads: SETTINGS_WANT,
    decide: (view): WritePlan<undefined> => {
      const from = settingsOf(view);
      checkMatch(context.ifMatch, etagOfSettings(from));
      if (JSON.stringify(from) === text) return { changes: [], answer: undefined };
      return {
        changes: settingsChanges(to),
        auditEvent: { action: 'notifications.set', subject: 'notifications', from, to },
        answer: undefined,
      };
    },
  });
}
