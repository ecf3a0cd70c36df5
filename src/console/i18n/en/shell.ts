export const shell = {
  skip: 'Skip to content',
  navigation: 'Main',
  search: 'Search',
  more: 'More',
  less: 'Less',
  paletteLabel: 'Page, user or group',
  paletteHelp: 'Arrow keys choose, Enter opens.',
  sections: { watch: 'Watch', manage: 'Manage', settings: 'Settings' },
  themes: { system: 'Theme of the system', light: 'Light', dark: 'Dark' },
  connection: { live: 'Live', paused: 'Paused', lost: 'No connection, trying again' },
  switchOrg: (name: string) => `Organization: ${name}. Switch`,
  userMenu: (who: string) => `${who}: theme, language, log out`,
};
