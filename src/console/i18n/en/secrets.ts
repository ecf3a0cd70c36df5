import { pluralIn } from '../plural.js';

const count = pluralIn('en');

export const secrets = {
  once: 'This is shown only once. Copy it now: nobody can read it later.',
  copy: 'Copy',
  copied: 'Copied',
  done: 'Done',
  created: 'Created',
  by: (who: string) => `by ${who}`,
  expires: 'Expires',
  never: 'Never',
  inDays: (days: number) => count(days, { one: 'In # day', other: 'In # days' }),
  expired: 'Expired',
};
