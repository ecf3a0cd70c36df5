import { pluralIn } from '../plural.js';

const count = pluralIn('en');

export const groups = {
  title: 'Groups',
  about:
    'A limit of a group is a ceiling on what its members consume together. All groups of a user apply at once.',
  create: 'Create group',
  search: 'Search groups',
  quota: 'Quota of the figures',
  caption: (quota: string) => `Groups, with their figures of ${quota}`,
  empty: {
    title: 'No groups yet',
    text: 'Create one to give several users a limit that they share.',
  },
  columns: {
    group: 'Group',
    members: 'Members',
    limit: 'Limit',
    consumed: 'Consumed together',
    left: 'Left',
    status: 'Status',
  },
  noLimit: 'No limit',
  members: (number: number) => count(number, { one: '# member', other: '# members' }),
  actionsFor: (name: string) => `Actions for ${name}`,
  acts: { rename: 'Rename', setLimit: 'Set limit', changeLimit: 'Change limit', delete: 'Delete group' },
  dialog: {
    title: 'Create group',
    renameTitle: (name: string) => `Rename ${name}`,
    id: 'Group id',
    idHelp: 'Letters, digits, dots, dashes and underscores. It cannot be changed later.',
    idMissing: 'Enter the id of the group.',
    name: 'Name',
    nameMissing: 'Enter a name.',
    submit: 'Create group',
    save: 'Save',
  },
  deleteDialog: {
    title: (name: string) => `Delete ${name}?`,
    members: (number: number) =>
      count(number, {
        one: '# member leaves the group; the user stays.',
        other: '# members leave the group; the users stay.',
      }),
    limits: (limits: string) =>
      `Its limits are deleted: ${limits}. Who is blocked by them can go on at once.`,
    noLimits: 'It has no limit, so nobody can consume more or less than before.',
    kept: 'What the members consumed stays counted.',
  },
  page: {
    tab: { members: 'Members', consumption: 'Consumption' },
    addMember: 'Add member',
    search: 'Search members',
    caption: (name: string) => `Members of ${name}`,
    empty: 'No members yet',
    emptyText: 'Add users: the limits of the group then apply to them together.',
    together: 'together',
  },
  add: {
    title: (name: string) => `Add a member to ${name}`,
    user: 'User',
    userMissing: 'Choose a user from the list.',
    has: 'Is a member already',
    blocks: (name: string, quotas: string) =>
      `${name} is blocked at once on ${quotas} by the limits of this group.`,
    submit: 'Add member',
    submitBlocking: 'Add and block',
  },
  removeMember: {
    act: 'Remove from group',
    title: (name: string, group: string) => `Remove ${name} from ${group}?`,
    text: (name: string) =>
      `The limits of this group no longer apply to ${name}. The user stays, with its own limits.`,
  },
  done: {
    created: (name: string) => `${name} is created.`,
    renamed: (name: string) => `The group is now called ${name}.`,
    deleted: (name: string) => `${name} is deleted.`,
    joined: (name: string) => `${name} is a member.`,
    left: (name: string) => `${name} is no longer a member.`,
  },
};
