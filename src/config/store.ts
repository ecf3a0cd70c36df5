/** The schema of the store. */
import Type from 'typebox';
import {
  fieldValue,
  file,
  oneOf,
  type Prose,
  redisUrl,
  section,
  serverAddress,
  whole,
  words,
} from './schema-types.js';

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

const storeWhenDown = whenDown({
  default: 'closed',
  description:
    'What happens to requests while Redis returns no decision. `closed`: 503. `open`: they are admitted up to a bound, ' +
    'and charged when Redis is back. Each process has its own bound, so n processes admit n times as much.',
});

const minReplicas = Type.Optional(
  whole(1, 16, {
    description:
      'Replicas that must confirm each call within `deadlineMs`; with fewer, it counts as unanswered: its requests get 503. ' +
      'So a fail-over to one of them loses no charge. Left out: none, and calls are faster.',
  }),
);

const common = { deadlineMs, holdMs, whenDown: storeWhenDown, minReplicas };

export const RedisStore = section({
  redis: redisUrl({
    secret: true,
    description:
      'The Redis or Valkey that holds the ledger: one server. Left out, and no other form of Redis: the embedded ledger.',
  }),
  passwordFile: Type.Optional(file({ description: 'File with the password of the Redis user.' })),
  tls: tls('the Redis server of a `rediss://` URL', 'the defaults, if the URL is `rediss://`'),
  ...common,
});

/** A user of a Redis or a Sentinel, and its password. */
function login(server: string) {
  return {
    username: Type.Optional(words({ description: `User of the ${server}. Left out: the user \`default\`.` })),
    password: Type.Optional(
      fieldValue({
        secret: true,
        description: `Password of that user. \`passwordFile\` keeps it out of the config.`,
      }),
    ),
    passwordFile: Type.Optional(
      file({ description: 'File with that password. It is read again at every connection.' }),
    ),
  };
}

function hosts(description: string) {
  return Type.Array(serverAddress({}), {
    minItems: 1,
    uniqueItems: true,
    expects: 'a list of host:port',
    description,
  });
}

/** Its files are read again at every connection. */
function tls(servers: string, leftOut = 'no TLS') {
  return Type.Optional(
    section(
      {
        caFile: Type.Optional(
          file({
            description: 'PEM file with the certificate authorities to trust. Left out: those of Node.js.',
          }),
        ),
        certificate: Type.Optional(
          section(
            {
              cert: file({ description: 'PEM file with the certificate of quotagate and its chain.' }),
              key: file({ description: 'PEM file with its private key.' }),
            },
            {
              expects: 'a map of both',
              description: 'Certificate that quotagate shows to servers that ask for one. Left out: none.',
            },
          ),
        ),
        serverName: Type.Optional(
          words({
            description:
              'Name that the certificates of the servers must have. Left out: the host of each connection.',
          }),
        ),
      },
      {
        expects: 'a map, or `{}`',
        description: `TLS to ${servers}; \`{}\` takes every default. Left out: ${leftOut}.`,
      },
    ),
  );
}

export const SentinelStore = section({
  sentinel: section({
    name: words({ description: 'Name of the master that the Sentinels watch.' }),
    hosts: hosts('Addresses of the Sentinels. Further Sentinels are learned from them.'),
    ...login('Redis servers'),
    database: whole(0, 1_023, { default: 0, description: 'Number of the database.' }),
    sentinelAuth: Type.Optional(section(login('Sentinels'))),
    tls: tls('the Redis servers and the Sentinels'),
  }),
  ...common,
});

export const ClusterStore = section({
  cluster: section({
    hosts: hosts('Addresses of some nodes. The others are learned from the first that answers.'),
    ...login('nodes'),
    tls: tls('the nodes'),
  }),
  ...common,
});
