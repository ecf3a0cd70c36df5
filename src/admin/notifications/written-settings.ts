/** Settings of notices as they are written: by their endpoint, or by a file. */
import type { Change } from '../../ledger/port.js';
import { ascending, type NoticeSettings, SETTINGS, thresholdsText } from '../../notify/settings.js';
import { invalid } from '../http/problems.js';
import { set } from '../orgs/definition.js';

/** In one order of members and of thresholds, so that equal settings are equal texts. `at`: before the names of fields in errors. */
export function settingsFrom({ thresholds, refusals, email }: NoticeSettings, at = ''): NoticeSettings {
  const { enabled, admins, recipients } = email;
  for (const [index, address] of recipients.entries())
    if (address === '') throw invalid(`${at}email/recipients/${index}`, 'must be an e-mail address');
  const { users, groups, org } = thresholds;
  return {
    thresholds: { users: ascending(users), groups: ascending(groups), org: ascending(org) },
    refusals: { users: refusals.users, groups: refusals.groups, org: refusals.org },
    email: { enabled, admins, recipients },
  };
}

export function settingsChanges(to: NoticeSettings): Change[] {
  return [
    { set: 'notices', field: SETTINGS, value: JSON.stringify(to) },
    set('thresholds', thresholdsText(to)),
  ];
}
