export const keys = {
  title: 'API keys',
  about:
    'With a key, a program sends requests as a user of this organization. Its requests count for that user.',
  create: 'Create key',
  search: 'Search keys',
  caption: 'API keys of the organization',
  columns: { name: 'Key', user: 'User' },
  empty: {
    title: 'No API keys yet',
    text: 'Create one for each program that sends requests, so that each can be deleted alone.',
  },
  dialog: {
    title: 'Create API key',
    user: 'User',
    userHelp: 'The requests count for this user, with all limits of the user.',
    userMissing: 'Choose a user from the list.',
    notActive: 'Not active: requests would be refused',
    name: 'Name',
    nameHelp: 'Where the key is used, so that you find it again.',
    submit: 'Create key',
  },
  made: {
    title: 'API key created',
    label: 'API key',
    text: 'Put it where the program reads its secrets.',
  },
  deleteDialog: {
    title: (name: string) => `Delete the key ${name}?`,
    text: (user: string) => `The next request with this key is refused. It sends requests as ${user}.`,
    kept: 'It cannot be restored. What was consumed with it stays counted.',
  },
  done: { deleted: (name: string) => `Key ${name} deleted.` },
};
