/** Whether a user is active, in words and colour. */
import { texts } from '../../i18n/index.js';
import { Badge, type Tone } from '../../ui/badge.js';
import type { UserStatus } from './user.js';

const TONES: Readonly<Record<UserStatus, Tone>> = {
  active: 'good',
  invited: 'accent',
  inactive: 'neutral',
  removed: 'neutral',
};

export function UserStatusBadge({ status }: { readonly status: UserStatus }) {
  return <Badge tone={TONES[status]}>{texts.value.users.statuses[status]}</Badge>;
}
