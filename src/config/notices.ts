/** The schema of notices: how they are sent, and how long what they leave is kept. */
import Type from 'typebox';
import { HISTORY_MONTHS_MAX, HISTORY_RETENTION } from '../history/retention.js';
import { email, fieldValue, file, host, oneOf, peer, section, webUrl, whole, words } from './schema-types.js';

export const Smtp = section(
  {
    host: host({ description: 'Host of the SMTP server.' }),
    port: whole(1, 65_535, {
      default: 587,
      description: 'Its port: 587 for `starttls`, 465 for `tls`.',
    }),
    security: oneOf(['starttls', 'tls', 'none'], {
      default: 'starttls',
      description:
        '`starttls`: the connection must change to TLS before anything is sent. `tls`: TLS from the first byte. `none`: no TLS, only for a server on ' +
        'this machine or network, and without a user.',
    }),
    caFile: Type.Optional(
      file({
        description:
          'PEM file with the certificate authorities to trust. Left out: those of Node.js. Read at the start.',
      }),
    ),
    username: Type.Optional(words({ description: 'User of the server. Left out: no login.' })),
    password: Type.Optional(
      fieldValue({
        secret: true,
        description: 'Password of that user. `passwordFile` keeps it out of the config.',
      }),
    ),
    passwordFile: Type.Optional(file({ description: 'File with that password. Read at the start.' })),
    from: email({ description: 'Sender of all e-mail.' }),
    connections: whole(1, 100, {
      default: 3,
      description: 'Most connections to the server, and so most messages that are sent at a time.',
    }),
    timeoutMs: whole(100, 300_000, {
      default: 20_000,
      description: 'Longest wait for a connection, and for each answer of the server.',
    }),
  },
  {
    expects: 'a map of the settings of an SMTP server',
    description: 'The server that sends notices by e-mail. Left out: no e-mail.',
  },
);

export const Webhooks = section(
  {
    allow: Type.Array(peer({}), {
      default: [],
      uniqueItems: true,
      expects: 'a list of addresses or ranges, such as 10.1.0.0/16',
      description:
        'Addresses that webhooks may reach although they are not public (loopback, private, link-local …), and the only ones that they may reach over ' +
        '`http:`.',
    }),
    timeoutMs: whole(100, 120_000, {
      default: 15_000,
      description: 'Longest time until a receiver of webhooks has answered.',
    }),
  },
  { default: {} },
);

export const PublicUrl = Type.Optional(
  webUrl({
    description:
      'Address of the admin API as people reach it: notices link to its console. Left out: no link.',
  }),
);

const DAYS_MAX = 3_660;

export const Retention = section(
  {
    userHoursDays: whole(1, 400, {
      default: HISTORY_RETENTION.userHoursDays,
      description:
        'Days for which the history of users is kept by the hour. After them it is kept by the day.',
    }),
    historyMonths: whole(2, HISTORY_MONTHS_MAX, {
      default: HISTORY_RETENTION.historyMonths,
      description:
        'Months for which the history is kept: users by the day, groups and the org by the hour. A shorter time deletes at the next daily cleaning.',
    }),
    auditDays: whole(1, DAYS_MAX, {
      default: 400,
      description: 'How long entries of the audit logs are kept.',
    }),
    eventsDays: whole(1, DAYS_MAX, { default: 400, description: 'How long events are kept.' }),
    failedNoticesDays: whole(1, DAYS_MAX, {
      default: 30,
      description: 'How long a notice that could not be delivered stays listed, to be sent again by hand.',
    }),
  },
  { default: {} },
);
