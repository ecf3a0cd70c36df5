/**
 * The one schema of the config file: type, default, bounds and meaning of every setting. The TypeScript types, the
 * judgement of a file, the environment variables and the table in the README all come from here.
 */
import Type, { type Static } from 'typebox';
import { CHARGES_MAX, GROUPS_MAX } from '../quota/charge.js';
import { DECIMALS_MAX } from '../quota/units.js';
import { Clients, Upstream } from './connections.js';
import { Jwt } from './credentials.js';
import { Llm, Model } from './llm.js';
import {
  address,
  amount,
  email,
  file,
  flag,
  header,
  mapOf,
  match,
  name,
  oneOf,
  type Prose,
  peer,
  percent,
  plainPath,
  pointer,
  positiveAmount,
  redisUrl,
  section,
  statuses,
  userId,
  whole,
  words,
} from './schema-types.js';

const MEBIBYTE = 1_048_576;

/** Files that are read again at SIGHUP, and when they change. */
function certificateOf(listener: string) {
  return Type.Optional(
    section({
      cert: file({
        description: `PEM file with the certificate of the ${listener} and its chain. Left out: no TLS.`,
      }),
      key: file({ description: 'PEM file with its private key.' }),
    }),
  );
}

const Server = section(
  {
    gateway: address({ default: '0.0.0.0:8080', description: 'Where callers of the metered API connect.' }),
    admin: address({ default: '127.0.0.1:9080', description: 'Where the admin API listens.' }),
    ops: address({
      default: '0.0.0.0:9091',
      description: 'Where `/metrics`, `/healthz` and `/readyz` listen.',
    }),
    tls: certificateOf('gateway'),
    adminTls: certificateOf('admin API'),
    clients: Clients,
    drainMs: whole(0, 600_000, {
      default: 5_000,
      description:
        'After SIGTERM: how long requests are still taken, while load balancers learn that this replica is not ready.',
    }),
    finishMs: whole(0, 3_600_000, {
      default: 15_000,
      description:
        'After that: the longest wait for requests under way. What is not done by then is cut off and settled.',
    }),
  },
  { default: {} },
);

const deadlineMs = whole(1, 10_000, {
  default: 50,
  description:
    'Time in which a request gets its decision, waiting included; after it, the store counts as down.',
});

const holdMs = whole(1_000, 3_600_000, {
  default: 60_000,
  description:
    'How long a hold outlives a gateway that died; while the gateway lives, it renews the holds of requests under way.',
});

const whenDown = (prose: Prose) =>
  Type.Union(
    [
      oneOf(['closed'], {}),
      section({
        open: section({
          units: whole(1, 9_000_000_000, {
            description: 'Most units of each quota that one process lets through in an outage.',
          }),
          seconds: whole(1, 86_400, {
            description: 'Time from the beginning of the outage; after it, the route is closed.',
          }),
        }),
      }),
    ],
    { expects: 'closed, or { open: { units: 1000, seconds: 60 } }', ...prose },
  );

const EmbeddedStore = section({
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

const RedisStore = section({
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
      'What happens to requests while Redis gives no decision. `closed`: 503. `open`: they are let through within a bound, ' +
      'and charged when Redis is back. With n processes the bound is n times as high.',
  }),
});

const Identity = section(
  {
    trusted: Type.Optional(
      section({
        peers: Type.Array(peer({}), {
          minItems: 1,
          expects: 'a list of addresses and ranges',
          description: 'Whose identity headers are believed. Inside a pod, loopback means every container.',
        }),
        org: header({ default: 'x-quota-org', description: 'Header that names the org.' }),
        user: header({ default: 'x-quota-user', description: 'Header that names the user.' }),
        groups: Type.Optional(
          header({
            description:
              'Header that names groups of the user, comma-separated, beside those of the directory. Left out: none.',
          }),
        ),
      }),
    ),
    apiKeys: Type.Optional(
      section({
        headers: Type.Array(header({}), {
          default: ['authorization'],
          minItems: 1,
          uniqueItems: true,
          expects: 'a list of header names',
          description:
            'Headers that may carry an API key: as `Bearer qg_…` in `authorization`, alone in any other. SDKs of AI APIs ' +
            'use `authorization`, `x-api-key`, `api-key` or `x-goog-api-key`.',
        }),
      }),
    ),
    jwt: Type.Optional(Jwt),
    unknownUsers: oneOf(['register', 'deny'], {
      default: 'register',
      description: 'A user seen for the first time is counted and listed, or refused.',
    }),
    unknownGroups: oneOf(['ignore', 'deny'], {
      default: 'ignore',
      description:
        'A group in a trusted header or a claim that the directory does not have: counted in a metric, logged once and left ' +
        'out, or refused with 403. Group names compare exactly, capitals and all.',
    }),
  },
  { default: {} },
);

const Quota = section({
  unit: words({ default: 'units', description: 'What one unit is called.' }),
  decimals: whole(0, DECIMALS_MAX, {
    default: 0,
    description: 'Decimals of an amount. They cannot be changed once something is counted.',
  }),
  counts: Type.Array(statuses({}), {
    default: ['200-299'],
    expects: 'a list of statuses and ranges, such as [200-299, 404]',
    description: 'Upstream answers that are charged; all others cost nothing.',
  }),
});

const quota = name({ description: 'Name of a quota under `quotas`.' });

const Units = Type.Union(
  [
    amount({}),
    section({ header: header({ description: 'Charged: the amount in this request header.' }) }),
    section({
      json: pointer({ description: 'Charged: the number there in the request’s JSON body.' }),
      default: Type.Optional(
        amount({
          description: 'Charged where nothing, or null, is there. Left out: such requests are refused.',
        }),
      ),
    }),
    section({
      jsonLength: pointer({
        description: 'Charged: the length of the array there in the request’s JSON body.',
      }),
    }),
  ],
  {
    expects: 'an amount, or one of { header: … }, { json: … }, { jsonLength: … }',
    description: 'What one request costs: a fixed amount, or where its cost is found.',
  },
);

const AnswerUnits = Type.Union(
  [
    section({ responseHeader: header({ description: 'Charged: the amount in this header of the answer.' }) }),
    section({
      responseJson: pointer({
        description:
          'Charged: the number there in the answer: a JSON body, server-sent events or JSON lines.',
      }),
      across: oneOf(['last', 'sum'], {
        default: 'last',
        description: 'Where the number stands in several events or lines: the last one counts, or their sum.',
      }),
    }),
    section({ bytes: oneOf(['out'], { description: 'Charged: the bytes of the answer’s body.' }) }),
  ],
  {
    expects: 'one of { responseHeader: … }, { responseJson: …, across: … }, { bytes: out }',
    description: 'A cost that only the answer tells.',
  },
);

const Charge = Type.Union([
  section({ quota, units: Units }),
  section({
    quota,
    units: AnswerUnits,
    hold: amount({ description: 'Held until the answer tells the cost; charged if it tells none.' }),
    floor: amount({ default: 0, description: 'The least that an answer which counts is charged.' }),
  }),
  section({ quota, llm: Llm }),
  section({
    quota,
    gate: Type.Literal(true, {
      expects: 'true',
      description: 'Costs nothing, but the quota must not be exhausted.',
    }),
  }),
]);

const routeMatch = match({
  description:
    'Method (`*`: any) and path: exact segments, `:name` for any one segment, `/*` at the end for any rest, `:name:verb` at the ' +
    'end for any segment that ends in `:verb` (`POST /v1beta/models/:model:generateContent`). ' +
    'The first route that matches wins.',
});
const upstream = name({ description: 'Name of an upstream under `upstreams`.' });
const stripPrefix = Type.Optional(
  plainPath({
    expects: 'exact segments with which `match` begins, such as /v3',
    description:
      'Left out of the path that the upstream gets: of `/v3/maps/1` with `/v3`, `/maps/1` remains.',
  }),
);

const MeteredRoute = section({
  match: routeMatch,
  identity: oneOf(['required'], {
    default: 'required',
    description: '`required`: a request without identity is refused. `none`: free and anonymous.',
  }),
  action: name({ description: 'Name under which admins see calls of this route.' }),
  upstream,
  stripPrefix,
  charges: Type.Array(Charge, {
    maxItems: CHARGES_MAX,
    expects: `a list of at most ${CHARGES_MAX} charges ([] for a route that is free)`,
    description: 'What a request costs. All of it is reserved, or none.',
  }),
  bodyLimitBytes: whole(0, 64 * MEBIBYTE, {
    default: 4 * MEBIBYTE,
    description:
      'Largest request body where the cost is found in it, or where a key and `replayHeader` ask for it: such bodies are held in memory.',
  }),
  replayHeader: Type.Optional(
    section({
      name: header({
        description:
          'Header by which the upstream marks an answer as the replay of an earlier one, for the request’s `Idempotency-Key`. Such an ' +
          'answer is free if the same call (user, key, method, path, query, body) was charged in full by this process in the ' +
          'last 24 hours; else it is charged. A process remembers its last 100,000 such calls, in memory only.',
      }),
      value: words({ default: 'true', description: 'Value of that header in a replay, in any case.' }),
    }),
  ),
  whenDown: Type.Optional(
    whenDown({ description: '`store.whenDown` for this route. Left out: as it stands there.' }),
  ),
});

const FreeRoute = section({
  match: routeMatch,
  identity: oneOf(['none'], {
    description: '`required`: a request without identity is refused. `none`: free and anonymous.',
  }),
  action: Type.Optional(name({ description: 'Name under which admins see calls of this route.' })),
  upstream,
  stripPrefix,
  charges: Type.Array(Charge, {
    default: [],
    maxItems: 0,
    expects: '[]: nobody is there to pay',
    description: 'What a request costs. All of it is reserved, or none.',
  }),
});

const timeZone = Type.String({
  default: 'UTC',
  expects: 'an IANA time zone, such as Europe/Madrid',
  description: 'Time zone in which the cycle begins.',
});

function cycle<const E extends string>(
  every: E,
  first: number,
  last: number,
  expects: string,
  own: Prose = {},
) {
  return section({
    every: oneOf([every], { description: 'How long a cycle lasts: counters reset with it.', ...own }),
    anchor: whole(first, last, {
      default: first,
      expects,
      description: 'Where a cycle begins. Left out: at the first.',
    }),
    timeZone,
  });
}

const Cycle = Type.Union(
  [
    cycle('month', 1, 31, 'every month: the day, 1 to 31 (in short months the last day)', {
      default: 'month',
    }),
    cycle('hour', 0, 59, 'every hour: the minute, 0 to 59'),
    cycle('day', 0, 23, 'every day: the hour, 0 to 23'),
    cycle('week', 1, 7, 'every week: the weekday, 1 (Monday) to 7'),
    cycle('year', 101, 1231, 'every year: month × 100 + day, 101 (January 1) to 1231'),
  ],
  { default: {} },
);

const Plan = section({
  allowance: amount({ description: 'What a cycle includes. 0 with `mode: soft`: count only.' }),
  mode: oneOf(['hard', 'soft', 'shadow'], {
    default: 'hard',
    description: '`hard` refuses at the end of the pool, `soft` goes on and reports, `shadow` only watches.',
  }),
  extra: amount({ default: 0, description: 'Balance that is used after the allowance and does not expire.' }),
});

const User = section({
  name: Type.Optional(words({ description: 'Name shown to admins.' })),
  email: Type.Optional(email({ description: 'E-mail address.' })),
  role: Type.Optional(words({ description: 'Role shown to admins.' })),
  groups: Type.Array(name({}), {
    default: [],
    maxItems: GROUPS_MAX,
    uniqueItems: true,
    expects: `a list of at most ${GROUPS_MAX} groups of the org`,
    description: 'Groups that the user is in.',
  }),
});

const Group = section({ name: Type.Optional(words({ description: 'Name shown to admins.' })) });

const limitUser = userId({ description: 'The user that is limited.' });
const limitGroup = name({ description: 'The group whose members are limited together.' });
const limitUnits = positiveAmount({ description: 'The limit, in units.' });
const limitPercent = percent({ description: 'The limit, as a percent of the org’s pool.' });
const shadow = flag({ default: false, description: 'Evaluated, counted and logged, but never refusing.' });

const Limit = Type.Union([
  section({ user: limitUser, quota, units: limitUnits, shadow }),
  section({ user: limitUser, quota, percent: limitPercent, shadow }),
  section({ group: limitGroup, quota, units: limitUnits, shadow }),
  section({ group: limitGroup, quota, percent: limitPercent, shadow }),
]);

const Org = section({
  name: Type.Optional(words({ description: 'Name shown to admins.' })),
  seats: Type.Optional(whole(1, 1_000_000_000, { description: 'Most active users. Left out: any number.' })),
  cycle: Cycle,
  plans: mapOf('quota', name({}), Plan, { default: {}, description: 'What the org may consume, by quota.' }),
  users: mapOf('user', userId({}), User, { default: {}, description: 'Users of the org, by id.' }),
  groups: mapOf('group', name({}), Group, { default: {}, description: 'Groups of the org, by id.' }),
  limits: Type.Array(Limit, {
    default: [],
    expects: 'a list of limits',
    description: 'Caps on users and groups; one for each subject and quota.',
  }),
  thresholds: Type.Array(whole(1, 100, {}), {
    default: [50, 80, 90, 100],
    uniqueItems: true,
    maxItems: 16,
    expects: 'a list of whole numbers from 1 to 100',
    description: 'Percents of a limit at which admins are told.',
  }),
});

export const ConfigSchema = section({
  server: Server,
  store: Type.Union([EmbeddedStore, RedisStore], { default: {} }),
  identity: Identity,
  quotas: mapOf('quota', name({}), Quota, {
    default: { usage: { unit: 'units', decimals: 1 }, lds: { unit: 'calls' }, ai: { unit: 'tokens' } },
    description: 'The budget kinds. Left out: `usage` (1 decimal), `lds` and `ai`.',
  }),
  upstreams: mapOf('upstream', name({}), Upstream, { default: {}, description: 'Where requests go.' }),
  models: Type.Array(Model, {
    default: [],
    expects: 'a list of models',
    description:
      'AI models, and what their tokens weigh. A request for a model that none matches is refused; left out: all weigh the same.',
  }),
  routes: Type.Array(Type.Union([MeteredRoute, FreeRoute]), {
    default: [],
    expects: 'a list of routes',
    description: 'What is let through, and what it costs. What no route matches is refused.',
  }),
  orgs: mapOf('org', name({}), Org, {
    default: {},
    description: 'Orgs that are created at first start; from then on the admin API owns them.',
  }),
  admin: section(
    {
      bootstrapTokenFile: Type.Optional(
        file({
          description:
            'File with an admin token over all orgs, to make the others with. Needed with Redis while there is none.',
        }),
      ),
    },
    { default: {} },
  ),
  log: section(
    {
      level: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
        default: 'info',
        description: 'Least severity that is logged.',
      }),
    },
    { default: {} },
  ),
  spool: Type.Optional(
    section({
      path: file({
        expects: 'the path of a folder',
        description:
          'Folder for settlements and refunds that cannot be delivered before the process ends; the next process that has it ' +
          'delivers them. Left out: they are logged, and the exit code is 1.',
      }),
    }),
  ),
  quotaPath: plainPath({
    default: '/quota/me',
    description: 'Path on the gateway where callers see their own limits, consumption and reset.',
  }),
});

/** The config as the rest of the program sees it: judged, every default filled in. */
export type Config = Static<typeof ConfigSchema>;

export type StoreConfig = Config['store'];
export type UpstreamConfig = Static<typeof Upstream>;
export type JwtConfig = Static<typeof Jwt>;
export type RouteConfig = Static<typeof MeteredRoute> | Static<typeof FreeRoute>;
export type ChargeConfig = Static<typeof Charge>;
export type LlmConfig = Static<typeof Llm>;
export type OrgConfig = Static<typeof Org>;
export type LimitConfig = Static<typeof Limit>;
