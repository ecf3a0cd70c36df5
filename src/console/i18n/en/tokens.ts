import { pluralIn } from '../plural.js';

const count = pluralIn('en');

export const tokens = {
  title: 'Admin tokens',
  about:
    'With a token, people log in here and programs call the admin API. Tokens that reach further than yours are not listed.',
  create: 'Create token',
  search: 'Search tokens',
  caption: 'Admin tokens',
  empty: {
    title: 'No tokens yet',
    text: 'The token of the configuration is not listed. Create one for each person and program.',
  },
  columns: { name: 'Token', role: 'Role', orgs: 'Organizations' },
  own: 'Yours',
  allOrgs: 'All, also future ones',
  moreOrgs: (number: number) => count(number, { one: 'and # more', other: 'and # more' }),
  roles: {
    viewer: { name: 'Viewer', may: 'Sees everything, changes nothing.' },
    'quota-manager': {
      name: 'Quota manager',
      may: 'Changes users, groups, limits and notices, and releases what is in flight.',
    },
    admin: {
      name: 'Admin',
      may: 'Changes everything: also plans, keys, tokens and the organization itself.',
    },
    scim: { name: 'SCIM', may: 'Only for an identity provider that keeps users and groups in step.' },
  },
  dialog: {
    title: 'Create admin token',
    name: 'Name',
    nameHelp: 'Who or what uses it. The audit log shows this name.',
    nameMissing: 'Enter a name.',
    role: 'Role',
    reach: 'Reach',
    someOrgs: 'Only some organizations',
    allHelp: 'It reaches every organization, now and later.',
    orgs: 'Organizations',
    orgsHelp: 'Their ids, separated by commas.',
    orgsMissing: 'Enter at least one organization.',
    submit: 'Create token',
  },
  made: {
    title: 'Admin token created',
    label: 'Admin token',
    text: 'Whoever has it can do what its role permits. Send it only over a safe channel.',
  },
  deleteDialog: {
    title: (name: string) => `Delete the token ${name}?`,
    text: 'Its next request is refused, and sessions in which people logged in with it end at once.',
    own: 'You are logged in with this token: your session ends too.',
  },
  done: { deleted: (name: string) => `Token ${name} deleted.` },
};
