/** The schema of the store. */
import Type from 'typebox';
import { file, oneOf, type Prose, redisUrl, section, whole } from './schema-types.js';

const deadlineMs = whole(1, 10_000, {
  default: 50,
  description: 'Longest time for a decision, queueing included; after it, the store counts as down.',
});

const holdMs = whole(1_000, 3_600_000, {
  default: 60_000,
  description:
    'How long a hold survives a gateway that died. A running gateway renews the holds of its requests in flight.',
});

export const whenDown = (prose: Prose) =>
  Type.Union(
    [
      oneOf(['closed'], {}),
      section({
        open: section({
          units: whole(1, 9_000_000_000, {
            description: 'Most units of each quota that one process admits during an outage.',
          }),
          seconds: whole(1, 86_400, {
            description: 'Time from the start of the outage; after it, the route is closed.',
          }),
        }),
      }),
    ],
    { expects: 'closed, or { open: { units: 1000, seconds: 60 } }', ...prose },
  );

export const EmbeddedStore = section({
  embedded: section(
    {
      path: file({
        default: './data',
        expects: 'the path of a folder',
        description: 'Folder of the embedded ledger. One process only.',
      }),
    },
    { default: {} },
  ),
  deadlineMs,
  holdMs,
});

export const RedisStore = section({
  redis: redisUrl({
    secret: true,
    description: 'The Redis or Valkey that holds the ledger. Left out: the embedded ledger.',
  }),
  passwordFile: Type.Optional(file({ description: 'File with the password of the Redis user.' })),
  deadlineMs,
  holdMs,
  whenDown: whenDown({
    default: 'closed',
    description:
      'What happens to requests while Redis returns no decision. `closed`: 503. `open`: they are admitted up to a bound, ' +
      'and charged when Redis is back. Each process has its own bound, so n processes admit n times as much.',
  }),
});
