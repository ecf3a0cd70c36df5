import { pluralIn } from '../plural.js';

const count = pluralIn('en');

export const history = {
  title: 'Usage history',
  about: (zone: string) => `What was consumed and refused, to the last request. Days are those of ${zone}.`,
  period: 'Range',
  periods: {
    '7d': '7 days',
    '30d': '30 days',
    '90d': '90 days',
    cycle: 'This period',
    'last-month': 'Last month',
    year: 'Year',
  },
  by: 'By',
  dimensions: {
    action: 'Action',
    user: 'User',
    group: 'Group',
    model: 'Model',
    key: 'API key',
    quota: 'Quota',
  },
  none: {
    action: 'No action',
    user: 'No user',
    group: 'No group',
    model: 'No model',
    key: 'No API key',
    quota: 'No quota',
  },
  measure: 'Show',
  measures: { units: 'Units', raw: 'Raw, before weights', refused: 'Refused requests' },
  requests: 'requests',
  single: { day: 'Per day', week: 'Per week' },
  intervals: { hour: 'Hour', day: 'Day', week: 'Week from', cycle: 'Period from', total: 'Time' },
  caption: (measure: string, quotas: string, by: string) =>
    `${measure} of ${quotas}, over time, by ${by.toLowerCase()}`,
  sums: 'Sums of this time',
  sumsBy: (by: string) => `Sums by ${by.toLowerCase()}`,
  columns: { units: 'Units', share: 'Share', raw: 'Raw', refused: 'Refused' },
  more: (number: number) => count(number, { one: '# more is in the CSV.', other: '# more are in the CSV.' }),
  groupNote: 'A request of a user in several groups is counted in each of them.',
  longer: 'There are too many figures for single days here; the CSV has them.',
  nothing: {
    consumed: {
      title: 'Nothing consumed',
      text: 'There was no consumption in this time. Choose a longer range or another quota.',
    },
    refused: { title: 'Nothing refused', text: 'No request was refused at a limit in this time.' },
  },
};
