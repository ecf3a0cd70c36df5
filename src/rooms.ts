/** What a reload replaces, as one value: the rooms of the corridor as a config has them. */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Environment } from './config/environment.js';
import type { Config, JwtConfig, RouteConfig, UpstreamConfig } from './config/schema.js';
import { headersOf, secretAt } from './config/secret.js';
import { createForwarder, type Forwarder, type UpstreamOptions } from './forward/forwarder.js';
import { stripPrefix } from './forward/strip-prefix.js';
import { Corridor, type Passage } from './gateway/corridor.js';
import { type Me, meOf } from './gateway/me.js';
import { rateLimitFields } from './gateway/ratelimit-fields.js';
import { noRouteAt, quotaRefusals } from './gateway/refusal.js';
import { type ChargedCalls, Replays } from './gateway/replays.js';
import { compileRoutes, nearestRoute } from './gateway/routes.js';
import { apiKeys } from './identify/api-keys.js';
import { composeIdentifiers, type Identifier } from './identify/identifier.js';
import { jwt } from './identify/jwt.js';
import type { KeyPlace } from './identify/key-source.js';
import { trustedHeaders } from './identify/trusted-headers.js';
import type { Lanes } from './ledger/lanes/index.js';
import type { Ledger } from './ledger/port.js';
import { errorShape } from './meter/llm/index.js';
import { compileMeter, type MeterSpec } from './meter/meter.js';
import type { Metrics } from './observe/metrics.js';
import type { Watch } from './observe/watch.js';
import { openBoundOf } from './open-mode.js';
import { settler } from './settle/settle.js';
import { statusSets } from './settle/statuses.js';

export interface RoomsOptions {
  readonly config: Config;
  /** Where settings with `env` find their secrets. */
  readonly environment: Environment;
  readonly ledger: Ledger;
  readonly lanes: Lanes;
  readonly metrics: Metrics;
  readonly watch: Watch;
  readonly logger: Logger;
  /** What replays are told by; it outlives a reload. */
  readonly chargedCalls: ChargedCalls;
  readonly onError: (error: unknown) => void;
}

/** Something that lives longer than a request, with all it was made of: the same again is not made anew. */
interface Part<T> {
  readonly made: string;
  readonly it: T;
}

type Parts<T> = ReadonlyMap<string, Part<T>>;

export interface Rooms {
  readonly corridor: Corridor;
  readonly me: Me;
  readonly identifiers: Parts<Identifier>;
  readonly forwarders: Parts<Forwarder>;
  /** Ends what only these rooms have, when their last request is settled. */
  readonly end: () => Promise<void>;
}

/**
 * Throws where the config cannot be used; nothing of it stays then. What `before` has and the config still wants (pools with
 * their connections, keys that were fetched) goes on in both.
 */
export function openRooms(options: RoomsOptions, before?: Rooms): Rooms {
  const identifiers = new Map<string, Part<Identifier>>();
  const forwarders = new Map<string, Part<Forwarder>>();
  try {
    openIdentifiers(options, identifiers, before?.identifiers);
    openForwarders(options, forwarders, before?.forwarders);
    return { ...wayThrough(options, identifiers, forwarders), identifiers, forwarders };
  } catch (error) {
    void endParts({ identifiers, forwarders }, before);
    throw error;
  }
}

/** Ends what `next` has no use for, once no request comes to it any more. Requests that are forwarded go on to their end. */
export async function leaveRooms(rooms: Rooms, next?: Rooms): Promise<void> {
  await rooms.corridor.idle();
  await endParts(rooms, next);
  await rooms.end();
}

/** Ends what is under way at the upstreams, as if they had broken off. */
export async function cutOffRooms({ forwarders }: Rooms): Promise<void> {
  await Promise.all([...forwarders.values()].map(({ it }) => it.destroy()));
}

async function endParts(ours: Pick<Rooms, 'identifiers' | 'forwarders'>, others?: Rooms): Promise<void> {
  for (const identifier of unshared(ours.identifiers, others?.identifiers)) identifier.close?.();
  await Promise.all(unshared(ours.forwarders, others?.forwarders).map((forwarder) => forwarder.close()));
}

function unshared<T>(ours: Parts<T>, others: Parts<T> | undefined): T[] {
  return [...ours].filter(([name, { it }]) => others?.get(name)?.it !== it).map(([, { it }]) => it);
}

/** `of` is all that the part is made of. */
function open<T>(
  parts: Map<string, Part<T>>,
  before: Parts<T> | undefined,
  name: string,
  of: unknown,
  make: () => T,
): void {
  const made = JSON.stringify(of);
  const known = before?.get(name);
  parts.set(name, known?.made === made ? known : { made, it: make() });
}

/** Trusted headers come first: sent by a peer that may not, they are refused whatever else it sends. */
function openIdentifiers(
  { config, environment, logger }: RoomsOptions,
  parts: Map<string, Part<Identifier>>,
  before: Parts<Identifier> | undefined,
): void {
  const { trusted, apiKeys: keysOf, jwt: tokens } = config.identity;
  if (trusted !== undefined) open(parts, before, 'trusted', trusted, () => trustedHeaders(trusted));
  // Before tokens: a key is told by how it begins, and a token's reader would refuse it.
  if (keysOf !== undefined) open(parts, before, 'apiKeys', keysOf, () => apiKeys(keysOf));
  if (tokens === undefined) return;
  const keys = keyPlaceOf(tokens, environment);
  const onTrouble = (error: unknown): void => logger.error({ err: error }, 'identity-keys-unavailable');
  open(parts, before, 'jwt', { tokens, keys }, () => jwt({ ...tokens, keys, onTrouble }));
}

function keyPlaceOf(config: JwtConfig, environment: Environment): KeyPlace {
  if ('jwksUrl' in config) return { jwksUrl: config.jwksUrl, refreshMs: config.refreshSeconds * 1_000 };
  if ('jwksFile' in config) return { jwksFile: config.jwksFile };
  const { secret } = config;
  return 'file' in secret ? { secretFile: secret.file } : { secret: secretAt(secret, environment) };
}

function openForwarders(
  { config, environment, metrics }: RoomsOptions,
  parts: Map<string, Part<Forwarder>>,
  before: Parts<Forwarder> | undefined,
): void {
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    const options = upstreamOptions(upstream, environment);
    const onDropped = metrics.upstreams.prepare(name);
    open(parts, before, name, options, () => createForwarder(options, onDropped));
  }
}

function upstreamOptions(upstream: UpstreamConfig, environment: Environment): UpstreamOptions {
  const { url, caFile, timeouts, connections, retries, setHeaders, passHeaders } = upstream;
  return {
    url,
    connections,
    retries,
    connectTimeoutMs: timeouts.connectMs,
    headersTimeoutMs: timeouts.headersMs,
    bodyTimeoutMs: timeouts.bodyMs,
    totalTimeoutMs: timeouts.totalMs,
    setHeaders: headersOf(setHeaders, environment),
    passHeaders,
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
  };
}

function wayThrough(
  { config, ledger, lanes, metrics, watch, chargedCalls, onError }: RoomsOptions,
  identifiers: Parts<Identifier>,
  forwarders: Parts<Forwarder>,
): Pick<Rooms, 'corridor' | 'me' | 'end'> {
  const identifier = composeIdentifiers([...identifiers.values()].map(({ it }) => it));
  const fields = rateLimitFields(config.quotas);
  const routes = config.routes.map((route) => ({
    match: route.match,
    value: passageOf(route, config, forwarders, chargedCalls),
  }));
  const settle = settler({
    debts: lanes,
    counts: statusSets(config.quotas),
    holdMs: config.store.holdMs,
    onLost: onError,
    watch: metrics.holds,
  });
  const corridor = new Corridor({
    findRoute: compileRoutes(routes),
    noRoute: noRouteAt(config.quotaPath),
    errorShapeNear: nearestRoute(routes.map(({ match, value }) => ({ match, value: value.errorShape }))),
    identifier,
    decide: (org, op, bound) => lanes.decide(org, op, bound),
    settle,
    holdMs: config.store.holdMs,
    unknownGroups: config.identity.unknownGroups,
    rateLimitFields: fields,
    quotaRefusals: quotaRefusals(config.quotas, fields),
    onError,
    watch,
  });
  const { quotas, store } = config;
  const end = async (): Promise<void> => {
    await settle.close();
    await Promise.all(routes.map(({ value }) => value.meter.close()));
  };
  return { corridor, me: meOf({ identifier, ledger, quotas, deadlineMs: store.deadlineMs }), end };
}

function passageOf(
  route: RouteConfig,
  config: Config,
  forwarders: Parts<Forwarder>,
  chargedCalls: ChargedCalls,
): Passage {
  const forwarder = forwarders.get(route.upstream)?.it;
  if (forwarder === undefined) throw new Error(`There is no upstream ${route.upstream}`);
  const action = route.action ?? 'free';
  const bodyLimitBytes = 'bodyLimitBytes' in route ? route.bodyLimitBytes : 0;
  const charges = route.charges.map(meterSpec);
  const replayHeader = 'replayHeader' in route ? route.replayHeader : undefined;
  return {
    route: route.match,
    action,
    upstream: route.upstream,
    identityRequired: route.identity === 'required',
    meter: compileMeter({ action, charges, bodyLimitBytes }, config.quotas, config.models),
    replays: replayHeader && new Replays(chargedCalls, replayHeader),
    errorShape: errorShapeOf(route),
    open: openBoundOf(route, config),
    forward:
      route.stripPrefix === undefined ? forwarder.forward : stripPrefix(forwarder.forward, route.stripPrefix),
  };
}

/** Callers of an AI API read its own errors. */
function errorShapeOf({ charges }: RouteConfig): Passage['errorShape'] {
  const charge = charges.find((one) => 'llm' in one);
  return charge === undefined ? undefined : errorShape(charge.llm.api);
}

function meterSpec(charge: RouteConfig['charges'][number]): MeterSpec {
  if ('llm' in charge) return charge;
  if ('gate' in charge) return { quota: charge.quota, gate: true };
  if ('hold' in charge)
    return { quota: charge.quota, ...charge.units, hold: charge.hold, floor: charge.floor };
  const { quota, units } = charge;
  return typeof units === 'object' ? { quota, ...units } : { quota, units };
}
