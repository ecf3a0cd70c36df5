/** The composition root: config ─► ledger ─► rooms ─► listeners. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { buildAdmin, createOrg } from './admin/index.js';
import type { Config, RouteConfig } from './config/schema.js';
import { createForwarder, type Forwarder } from './forward/forwarder.js';
import { corridor, type Passage } from './gateway/corridor.js';
import { buildGateway } from './gateway/gateway.js';
import { meOf } from './gateway/me.js';
import { rateLimitFields } from './gateway/ratelimit-fields.js';
import { quotaRefusals } from './gateway/refusal.js';
import { compileRoutes } from './gateway/routes.js';
import { composeIdentifiers, type Identifier } from './identify/identifier.js';
import { trustedHeaders } from './identify/trusted-headers.js';
import { startKeeper } from './keep/keeper.js';
import { Lanes } from './ledger/lanes/index.js';
import { openMemory } from './ledger/memory/index.js';
import type { Ledger } from './ledger/port.js';
import { openRedis } from './ledger/redis/index.js';
import { compileMeter, type MeterSpec } from './meter/meter.js';
import { settler } from './settle/settle.js';
import { statusSets } from './settle/statuses.js';

export interface App {
  readonly ledger: Ledger;
  /** Where the listeners are, once they listen: `host:port`. */
  listen(): Promise<Addresses>;
  /** Takes no more requests, ends those under way, delivers what is owed. */
  close(): Promise<void>;
}

export interface Addresses {
  readonly gateway: string;
  readonly admin: string;
}

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly adminToken: string;
  /** Password of the Redis user, read from the config's `passwordFile`. */
  readonly redisPassword?: string | undefined;
}

const KEEPER_EVERY_MS = 1_000;
const DRAIN_GRACE_MS = 10_000;

/** Opens the ledger, creates the orgs that the config names and the ledger has not, and builds both listeners. */
export async function buildApp(options: AppOptions): Promise<App> {
  const { config, logger } = options;
  const ledger = await openLedger(options);
  for (const [id, org] of Object.entries(config.orgs)) await createOrg(ledger, id, org, config.quotas);
  const onError = (error: unknown): void => logger.error({ err: error }, 'unexpected error');
  const lanes = new Lanes({
    ledger,
    deadlineMs: config.store.deadlineMs,
    unknownUsers: config.identity.unknownUsers,
    onTrouble: (what, details) => logger.error(details, what),
  });
  const keeper = startKeeper({ ledger, everyMs: KEEPER_EVERY_MS, onError });
  const forwarders = forwardersOf(config);
  const gateway = gatewayOf(options, ledger, lanes, forwarders, onError);
  const admin = buildAdmin({ ledger, quotas: config.quotas, token: options.adminToken, logger });
  return {
    ledger,
    listen: async () => ({
      gateway: await listenOn(gateway, config.server.gateway),
      admin: await listenOn(admin, config.server.admin),
    }),
    close: async () => {
      await gateway.close();
      await Promise.all([...forwarders.values()].map((forwarder) => forwarder.close()));
      if (!(await lanes.drain(DRAIN_GRACE_MS)))
        logger.error({ backlog: lanes.backlog }, 'settlements-undelivered');
      await admin.close();
      await keeper.close();
      await ledger.close();
    },
  };
}

async function openLedger({ config, logger, redisPassword }: AppOptions): Promise<Ledger> {
  const { store } = config;
  if (!('redis' in store)) {
    const path = join(store.embedded.path, 'ledger');
    logger.warn({ path }, 'embedded ledger: one process only, for more replicas set store.redis');
    return openMemory({ path });
  }
  return openRedis({
    url: store.redis,
    onError: (error) => logger.error({ err: error }, 'store-unavailable'),
    ...(redisPassword === undefined ? {} : { password: redisPassword }),
  });
}

function gatewayOf(
  { config }: AppOptions,
  ledger: Ledger,
  lanes: Lanes,
  forwarders: ReadonlyMap<string, Forwarder>,
  onError: (error: unknown) => void,
): FastifyInstance {
  const identifier = identifierOf(config);
  const fields = rateLimitFields(config.quotas);
  const walk = corridor({
    findRoute: compileRoutes(
      config.routes.map((route) => ({ match: route.match, value: passageOf(route, config, forwarders) })),
    ),
    identifier,
    decide: (org, op) => lanes.decide(org, op),
    settle: settler(lanes, statusSets(config.quotas), onError),
    rateLimitFields: fields,
    quotaRefusal: quotaRefusals(config.quotas, fields),
    onError,
  });
  const me = meOf({ identifier, ledger, quotas: config.quotas });
  return buildGateway({ walk, quotaPath: config.quotaPath, me, onError });
}

function identifierOf({ identity }: Config): Identifier {
  return composeIdentifiers(identity.trusted === undefined ? [] : [trustedHeaders(identity.trusted)]);
}

function forwardersOf({ upstreams }: Config): Map<string, Forwarder> {
  return new Map(
    Object.entries(upstreams).map(([name, { url, timeouts, connections }]) => {
      const { connectMs, headersMs, bodyMs } = timeouts;
      const times = { connectTimeoutMs: connectMs, headersTimeoutMs: headersMs, bodyTimeoutMs: bodyMs };
      return [name, createForwarder({ url, connections, ...times })];
    }),
  );
}

function passageOf(route: RouteConfig, config: Config, forwarders: ReadonlyMap<string, Forwarder>): Passage {
  const forwarder = forwarders.get(route.upstream);
  if (forwarder === undefined) throw new Error(`There is no upstream ${route.upstream}`);
  const action = route.action ?? 'free';
  const bodyLimitBytes = 'bodyLimitBytes' in route ? route.bodyLimitBytes : 0;
  const charges = route.charges.map(meterSpec);
  return {
    action,
    identityRequired: route.identity === 'required',
    meter: compileMeter({ action, charges, bodyLimitBytes }, config.quotas),
    forward: forwarder.forward,
  };
}

function meterSpec(charge: RouteConfig['charges'][number]): MeterSpec {
  if ('gate' in charge) return { quota: charge.quota, gate: true };
  if ('hold' in charge)
    return { quota: charge.quota, ...charge.units, hold: charge.hold, floor: charge.floor };
  const { quota, units } = charge;
  return typeof units === 'object' ? { quota, ...units } : { quota, units };
}

async function listenOn(app: FastifyInstance, address: string): Promise<string> {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  const url = await app.listen({ host, port: Number(address.slice(at + 1)) });
  return url.replace(/^https?:\/\//, '');
}
