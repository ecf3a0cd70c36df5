export const inFlight = {
  title: 'In flight',
  about: 'Requests that are running now, and the units that each has reserved. The list follows by itself.',
  search: 'Search by user or action',
  caption: 'Reservations of requests in flight',
  columns: {
    user: 'User',
    action: 'Action',
    units: 'Reserved',
    since: 'Since',
    expires: 'Ends by itself',
  },
  charge: (units: string, quota: string) => `${units} of ${quota}`,
  empty: {
    title: 'Nothing in flight',
    text: 'No request has reserved units at the moment.',
  },
  release: 'Release',
  releaseOf: (user: string, action: string) => `Release what ${user} has reserved for ${action}`,
  dialog: {
    title: (user: string, action: string) => `Release what ${user} has reserved for ${action}?`,
    text: (charges: string) => `${charges} can be consumed by others at once.`,
    later: 'The request itself goes on. If it ends later, what it really cost is still charged.',
  },
  done: (user: string) => `What ${user} had reserved is released.`,
};
