/** Builds the pipeline's stages from a config, as one value that a reload replaces. */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Environment } from '../config/environment.js';
import type { Config, JwtConfig, RouteConfig, UpstreamConfig } from '../config/schema.js';
import { headersOf, secretAt } from '../config/secret.js';
import { createForwarder, type Forwarder, type UpstreamOptions } from '../forward/forwarder.js';
import { stripPrefix } from '../forward/strip-prefix.js';
import { raiseRequestsPath } from '../gateway/gateway.js';
import { answerCallers, type Me, type MeOptions, meOf } from '../gateway/me.js';
import { historyTo } from '../gateway/me-history.js';
import { raiseRequestsOf } from '../gateway/me-requests.js';
import { RequestPipeline } from '../gateway/pipeline.js';
import type { CompiledRoute } from '../gateway/pipeline-types.js';
import { rateLimitFields } from '../gateway/ratelimit-fields.js';
import { noRouteAt, quotaRefusals } from '../gateway/refusal.js';
import { type ChargedCalls, Replays } from '../gateway/replays.js';
import { compileRoutes, nearestRoute } from '../gateway/routes.js';
import { apiKeys } from '../identify/api-keys.js';
import { composeIdentifiers, type Identifier } from '../identify/identifier.js';
import { jwt } from '../identify/jwt.js';
import type { KeyPlace } from '../identify/key-source.js';
import { trustedHeaders } from '../identify/trusted-headers.js';
import type { StoreBatcher } from '../ledger/batching/index.js';
import type { Ledger } from '../ledger/port.js';
import { errorShape } from '../meter/llm/index.js';
import { compileMeter, type MeterSpec } from '../meter/meter.js';
import type { Metrics } from '../observe/metrics.js';
import type { RequestTelemetry } from '../observe/pipeline-observer.js';
import { settler } from '../settle/settle.js';
import { statusSets } from '../settle/statuses.js';
import { keysUnavailable } from './build-oidc.js';
import { openBoundOf } from './open-mode.js';

export interface StagesOptions {
  readonly config: Config;
  /** Where settings with `env` find their secrets. */
  readonly environment: Environment;
  readonly ledger: Ledger;
  readonly batcher: StoreBatcher;
  readonly metrics: Metrics;
  readonly observer: RequestTelemetry;
  readonly logger: Logger;
  /** Recognizes replays; it is kept across reloads. */
  readonly chargedCalls: ChargedCalls;
  readonly onError: (error: unknown) => void;
}

/** A resource that outlives a request, with the inputs it was built from. The same inputs reuse the resource. */
interface SharedResource<T> {
  readonly made: string;
  readonly it: T;
}

type SharedResources<T> = ReadonlyMap<string, SharedResource<T>>;

export interface Stages {
  readonly pipeline: RequestPipeline;
  readonly me: Me;
  readonly history: Me;
  /** Undefined: callers may not ask for a raise. */
  readonly raiseRequests: Me | undefined;
  /** Quotas that each action charges, or requires not to be exhausted. */
  readonly actions: ReadonlyMap<string, readonly string[]>;
  readonly identifiers: SharedResources<Identifier>;
  readonly forwarders: SharedResources<Forwarder>;
  /** Closes what only these stages use, when their last request is settled. */
  readonly end: () => Promise<void>;
}

/**
 * Throws if the config is invalid; nothing of it remains then. Resources of `before` that the config still needs
 * (connection pools, fetched keys) are shared by both.
 */
export function buildStages(options: StagesOptions, before?: Stages): Stages {
  const identifiers = new Map<string, SharedResource<Identifier>>();
  const forwarders = new Map<string, SharedResource<Forwarder>>();
  try {
    openIdentifiers(options, identifiers, before?.identifiers);
    openForwarders(options, forwarders, before?.forwarders);
    return { ...assemblePipeline(options, identifiers, forwarders), identifiers, forwarders };
  } catch (error) {
    void closeUnused({ identifiers, forwarders }, before);
    throw error;
  }
}

/** Closes what `next` does not use, once no new request arrives. Forwarded requests are completed. */
export async function retireStages(stages: Stages, next?: Stages): Promise<void> {
  await stages.pipeline.idle();
  await closeUnused(stages, next);
  await stages.end();
}

/** Aborts open upstream requests, as if the upstream had failed. */
export async function abortStages({ forwarders }: Stages): Promise<void> {
  await Promise.all([...forwarders.values()].map(({ it }) => it.destroy()));
}

async function closeUnused(ours: Pick<Stages, 'identifiers' | 'forwarders'>, others?: Stages): Promise<void> {
  for (const identifier of unshared(ours.identifiers, others?.identifiers)) identifier.close?.();
  await Promise.all(unshared(ours.forwarders, others?.forwarders).map((forwarder) => forwarder.close()));
}

function unshared<T>(ours: SharedResources<T>, others: SharedResources<T> | undefined): T[] {
  return [...ours].filter(([name, { it }]) => others?.get(name)?.it !== it).map(([, { it }]) => it);
}

interface Wanted<T> {
  readonly name: string;
  /** All inputs of the resource. */
  readonly of: unknown;
  readonly make: () => T;
}

function open<T>(
  resources: Map<string, SharedResource<T>>,
  before: SharedResources<T> | undefined,
  { name, of, make }: Wanted<T>,
): void {
  const made = JSON.stringify(of);
  const known = before?.get(name);
  resources.set(name, known?.made === made ? known : { made, it: make() });
}

/** Trusted headers come first: from an untrusted peer they are refused, whatever else the request contains. */
function openIdentifiers(
  { config, environment, logger }: StagesOptions,
  resources: Map<string, SharedResource<Identifier>>,
  before: SharedResources<Identifier> | undefined,
): void {
  const { trusted, apiKeys: keysOf, jwt: tokens } = config.identity;
  if (trusted !== undefined)
    open(resources, before, { name: 'trusted', of: trusted, make: () => trustedHeaders(trusted) });
  // Must come before tokens: the JWT identifier would refuse an API key.
  if (keysOf !== undefined)
    open(resources, before, { name: 'apiKeys', of: keysOf, make: () => apiKeys(keysOf) });
  if (tokens === undefined) return;
  const keys = keyPlaceOf(tokens, environment);
  const make = () => jwt({ ...tokens, keys, onTrouble: keysUnavailable(logger, 'identity.jwt') });
  open(resources, before, { name: 'jwt', of: { tokens, keys }, make });
}

function keyPlaceOf(config: JwtConfig, environment: Environment): KeyPlace {
  if ('jwksUrl' in config) return { jwksUrl: config.jwksUrl, refreshMs: config.refreshSeconds * 1_000 };
  if ('jwksFile' in config) return { jwksFile: config.jwksFile };
  const { secret } = config;
  return 'file' in secret ? { secretFile: secret.file } : { secret: secretAt(secret, environment) };
}

function openForwarders(
  { config, environment, metrics }: StagesOptions,
  resources: Map<string, SharedResource<Forwarder>>,
  before: SharedResources<Forwarder> | undefined,
): void {
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    const options = upstreamOptions(upstream, environment);
    const onDropped = metrics.upstreams.prepare(name);
    open(resources, before, { name, of: options, make: () => createForwarder(options, onDropped) });
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

function assemblePipeline(
  { config, ledger, batcher, metrics, observer, chargedCalls, onError }: StagesOptions,
  identifiers: SharedResources<Identifier>,
  forwarders: SharedResources<Forwarder>,
): Omit<Stages, 'identifiers' | 'forwarders'> {
  const identifier = composeIdentifiers([...identifiers.values()].map(({ it }) => it));
  const fields = rateLimitFields(config.quotas);
  const routes = config.routes.map((route) => ({
    match: route.match,
    value: compileRoute(route, { config, chargedCalls }, forwarders),
  }));
  const settle = settler({
    queue: batcher,
    counts: statusSets(config.quotas),
    holdMs: config.store.holdMs,
    onLost: onError,
    observer: metrics.holds,
  });
  const pipeline = new RequestPipeline({
    findRoute: compileRoutes(routes),
    noRoute: noRouteAt(config.quotaPath),
    errorShapeNear: nearestRoute(routes.map(({ match, value }) => ({ match, value: value.errorShape }))),
    identifier,
    decide: (org, op, bound) => batcher.decide(org, op, bound),
    countRefusal: (refused) => batcher.countRefusal(refused),
    settle,
    holdMs: config.store.holdMs,
    unknownGroups: config.identity.unknownGroups,
    rateLimitFields: fields,
    quotaRefusals: quotaRefusals(config.quotas, fields, raisePathOf(config)),
    onError,
    observer,
  });
  const { quotas, store } = config;
  const end = async (): Promise<void> => {
    await settle.close();
    await Promise.all(routes.map(({ value }) => value.meter.close()));
  };
  const callers: MeOptions = {
    identifier,
    decide: (org, op) => batcher.decide(org, op),
    unknownGroups: config.identity.unknownGroups,
    ledger,
    quotas,
    deadlineMs: store.deadlineMs,
  };
  const history = answerCallers(callers, historyTo(callers));
  const raiseRequests = config.raiseRequests ? raiseRequestsOf(callers) : undefined;
  return { pipeline, me: meOf(callers), history, raiseRequests, actions: quotasOfActions(config), end };
}

function raisePathOf({ quotaPath, raiseRequests }: Config): string | undefined {
  return raiseRequests ? raiseRequestsPath(quotaPath) : undefined;
}

/** Several routes may have the same action. */
function quotasOfActions({ routes }: Config): Map<string, readonly string[]> {
  const actions = new Map<string, readonly string[]>();
  for (const { action, charges } of routes) {
    if (action === undefined || charges.length === 0) continue;
    const quotas = charges.map(({ quota }) => quota);
    actions.set(action, [...new Set([...(actions.get(action) ?? []), ...quotas])]);
  }
  return actions;
}

function compileRoute(
  route: RouteConfig,
  { config, chargedCalls }: Pick<StagesOptions, 'config' | 'chargedCalls'>,
  forwarders: SharedResources<Forwarder>,
): CompiledRoute {
  const forwarder = forwarders.get(route.upstream)?.it;
  if (forwarder === undefined) throw new Error(`upstream not found: ${route.upstream}`);
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

/** Callers of an AI API get errors in its own format. */
function errorShapeOf({ charges }: RouteConfig): CompiledRoute['errorShape'] {
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
