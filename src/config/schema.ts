/**
 * The one schema of the config file: type, default, bounds and meaning of every setting. The TypeScript types, the
 * validation of a file, the environment variables and the table in the README are derived from it.
 */
import Type, { type Static } from 'typebox';
import { Clients, Upstream } from './connections.js';
import type { Jwt } from './credentials.js';
import { Identity } from './identity.js';
import { type FileExport, type HttpExport, Journal } from './journal.js';
import { type Llm, Model } from './llm.js';
import { PublicUrl, Retention, Smtp, Webhooks } from './notices.js';
import { Oidc } from './oidc.js';
import { type Limit, Org } from './orgs.js';
import { type Charge, FreeRoute, MeteredRoute, Quota } from './routes.js';
import {
  address,
  addressOrOff,
  file,
  flag,
  mapOf,
  name,
  oneOf,
  plainPath,
  section,
  whole,
} from './schema-types.js';
import { ClusterStore, EmbeddedStore, RedisStore, SentinelStore } from './store.js';

/** Both files are read again at SIGHUP, and when they change. */
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
    gateway: address({
      default: '0.0.0.0:8080',
      description: 'Address of the gateway, where callers of the metered API connect.',
    }),
    admin: addressOrOff({
      default: '127.0.0.1:9080',
      description:
        'Address of the admin API and the console. `off`: this process has neither, such as a sidecar whose orgs are managed elsewhere.',
    }),
    ops: address({
      default: '0.0.0.0:9091',
      description: 'Address of `/metrics`, `/healthz` and `/readyz`.',
    }),
    tls: certificateOf('gateway'),
    adminTls: certificateOf('admin API'),
    clients: Clients,
    drainMs: whole(0, 600_000, {
      default: 5_000,
      description:
        'How long the gateway still accepts requests after SIGTERM, while load balancers notice that this replica is not ready.',
    }),
    finishMs: whole(0, 3_600_000, {
      default: 15_000,
      description:
        'How long the gateway then waits for requests in flight. It aborts and settles those that remain.',
    }),
  },
  { default: {} },
);

export const ConfigSchema = section({
  server: Server,
  store: Type.Union([EmbeddedStore, RedisStore, SentinelStore, ClusterStore], { default: {} }),
  identity: Identity,
  quotas: mapOf(Quota, {
    keyName: 'quota',
    keys: name({}),
    default: { usage: { unit: 'units', decimals: 1 }, lds: { unit: 'calls' }, ai: { unit: 'tokens' } },
    description: 'The quotas that are enforced. Left out: `usage` (1 decimal), `lds` and `ai`.',
  }),
  upstreams: mapOf(Upstream, {
    keyName: 'upstream',
    keys: name({}),
    default: {},
    description: 'Where requests go.',
  }),
  models: Type.Array(Model, {
    default: [],
    expects: 'a list of models',
    description:
      'AI models and the weights of their tokens. A request for a model that matches no entry is refused. Left out: all models weigh the same.',
  }),
  routes: Type.Array(Type.Union([MeteredRoute, FreeRoute]), {
    default: [],
    expects: 'a list of routes',
    description:
      'The requests that are forwarded, and their cost. A request that matches no route is refused.',
  }),
  orgs: mapOf(Org, {
    keyName: 'org',
    keys: name({}),
    default: {},
    description: 'Orgs that are created at the first start. From then on, the admin API changes them.',
  }),
  admin: section(
    {
      bootstrapTokenFile: Type.Optional(
        file({
          description:
            'File with an admin token for all orgs, with which you create the others. Required with Redis until the store has one.',
        }),
      ),
      publicUrl: PublicUrl,
      sessions: section(
        {
          idleMinutes: whole(5, 1_440, {
            default: 30,
            description:
              'A session of the console ends after this time without a click. It is written at most once a minute.',
          }),
          lifeHours: whole(1, 720, {
            default: 12,
            description: 'A session of the console ends after this time in any case, or with its token.',
          }),
        },
        { default: {} },
      ),
      oidc: Type.Optional(Oidc),
      scim: section(
        {
          userId: oneOf(['userName', 'externalId'], {
            default: 'userName',
            description:
              'SCIM attribute that holds the id by which requests name their user. It must equal what `identity` finds. ' +
              'The first SCIM user of an org fixes it for that org.',
          }),
        },
        { default: {} },
      ),
    },
    { default: {} },
  ),
  smtp: Type.Optional(Smtp),
  webhooks: Webhooks,
  retention: Retention,
  journal: Journal,
  log: section(
    {
      level: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
        default: 'info',
        description: 'Lowest severity that is logged.',
      }),
    },
    { default: {} },
  ),
  spool: Type.Optional(
    section({
      path: file({
        expects: 'the path of a folder',
        description:
          'Folder for settlements and refunds that cannot be delivered before the process ends; the next process with this folder ' +
          'delivers them. Left out: they are logged, and the exit code is 1.',
      }),
    }),
  ),
  quotaPath: plainPath({
    default: '/quota/me',
    description: 'Path of the gateway at which callers read their own limits, consumption and reset time.',
  }),
  raiseRequests: flag({
    default: false,
    description:
      'Callers may ask the admins for a raise of a limit, with `POST <quotaPath>/requests`. Refusals name the path.',
  }),
});

/** The config as the rest of the program sees it: validated, every default filled in. */
export type Config = Static<typeof ConfigSchema>;

export type StoreConfig = Config['store'];
type SentinelConfig = Static<typeof SentinelStore>['sentinel'];
export type StoreAccess = Pick<SentinelConfig, 'username' | 'password' | 'passwordFile' | 'tls'>;
export type StoreLogin = Pick<SentinelConfig, 'password' | 'passwordFile'>;
export type StoreTls = NonNullable<SentinelConfig['tls']>;
export type ExportConfig = Static<typeof HttpExport> | Static<typeof FileExport>;
export type SmtpConfig = Static<typeof Smtp>;
export type UpstreamConfig = Static<typeof Upstream>;
export type JwtConfig = Static<typeof Jwt>;
export type RouteConfig = Static<typeof MeteredRoute> | Static<typeof FreeRoute>;
export type ChargeConfig = Static<typeof Charge>;
export type LlmConfig = Static<typeof Llm>;
export type OrgConfig = Static<typeof Org>;
export type LimitConfig = Static<typeof Limit>;
