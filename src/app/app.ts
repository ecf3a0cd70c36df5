/** The composition root: config ─► ledger ─► stages ─► listeners, and how a reload and a stop treat each. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createOrg, LoginCodes, orgDifferences, SYSTEM_ORGS } from '../admin/index.js';
import type { Environment } from '../config/environment.js';
import type { Config } from '../config/schema.js';
import type { Exporter } from '../export/exporter.js';
import { buildGateway, type Gateway } from '../gateway/gateway.js';
import { ChargedCalls } from '../gateway/replays.js';
import { StoreBatcher } from '../ledger/batching/index.js';
import { ClockGuard, type ClockLookout, lookWhileRefusing } from '../ledger/clock-guard.js';
import { type Ledger, StoreError } from '../ledger/port.js';
import type { RedirectKind } from '../ledger/redis/slot-map.js';
import { claimStore, lookAtClock } from '../ledger/store-meta.js';
import { type MaintenanceLoop, startMaintenance } from '../maintenance/maintenance-loop.js';
import type { Notifier } from '../notify/notifier.js';
import { Metrics, type State } from '../observe/metrics.js';
import { Ops } from '../observe/ops.js';
import { RequestTelemetry } from '../observe/pipeline-observer.js';
import { RequestLog } from '../observe/request-log.js';
import { UnknownGroups } from '../observe/unknown-groups.js';
import { openSpool, type Spool } from '../spool/spool.js';
import { buildAdminOf } from './build-admin.js';
import { buildExporter } from './build-exporter.js';
import { openLedger } from './build-ledger.js';
import { buildNotifier, DAY_MS } from './build-notifier.js';
import { abortStages, buildStages, retireStages, type Stages, type StagesOptions } from './build-stages.js';
import { keepUndelivered, SPOOL_FAILED } from './keep-undelivered.js';
import { addressOf, Certificates, closeWithin, listenOn, naming } from './listen.js';
import { logOpenMode } from './open-mode.js';
import { changeOf } from './reload.js';
import { logTrouble } from './troubles.js';

export interface App {
  readonly ledger: Ledger;
  /** Makes a code that logs in to the console as this token, once. */
  loginCode(token: string): string;
  /** Opens the listeners and returns their addresses, `host:port`. */
  listen(): Promise<Addresses>;
  /** Reports not ready, and serves for `drainMs` more, so that load balancers stop sending requests. */
  drain(): Promise<void>;
  /** Accepts no more requests, finishes those in flight, delivers pending settlements. False: some were neither delivered nor spooled. */
  close(): Promise<boolean>;
  /** Applies a new config as far as possible without a restart; rejects an invalid one and changes nothing then. */
  reload(read: () => Config): Promise<Reloaded>;
  /** Reads the certificates of the listeners again. */
  reloadCertificates(): void;
}

export interface Addresses {
  readonly gateway: string;
  readonly admin: string;
  readonly ops: string;
}

export interface Reloaded {
  /** Changed settings that need a restart. */
  readonly waiting: readonly string[];
  /** Orgs that the file states otherwise than the ledger has them: how many differences of each kind. */
  readonly differing: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** An admin token in addition to those in the ledger. */
  readonly bootstrapToken?: string | undefined;
  /** Environment variables for settings with `env`. */
  readonly environment?: Environment | undefined;
}

const MAINTENANCE_EVERY_MS = 1_000;
/** Time-outs, after the last request, for pending settlements and for admin requests. */
const DELIVERY_MS = 8_000;
const ADMIN_MS = 1_000;
const FAREWELL_MS = 1_000;

/** Opens the ledger, creates the config's orgs that the ledger lacks, and builds the listeners. */
export async function buildApp(options: AppOptions): Promise<App> {
  const { config, logger } = options;
  let running: Running | undefined;
  const metrics = new Metrics({ quotas: config.quotas, state: () => running?.state });
  metrics.addRuntime();
  const onError = (error: unknown): void => {
    metrics.process.alarm('unexpected-error');
    logger.error({ event: 'unexpected_error', err: error }, 'An unexpected error: report it with its stack.');
  };
  const certificates = new Certificates(config.server, logger, metrics.process);
  const ops = new Ops({ metrics: () => metrics.text(), onError });
  try {
    // Opened first, so that the process is live while it reads the ledger.
    const at = addressOf(config.server.ops);
    const opsAddress = await naming('server.ops', config.server.ops, () => ops.listen(at.host, at.port));
    running = await assemble(options, { metrics, certificates, ops, opsAddress, onError });
    return running;
  } catch (error) {
    certificates.close();
    await ops.close();
    throw error;
  }
}

/** The parts that are built before the ledger. */
interface Base {
  readonly metrics: Metrics;
  readonly certificates: Certificates;
  readonly ops: Ops;
  readonly opsAddress: string;
  readonly onError: (error: unknown) => void;
}

async function assemble(options: AppOptions, base: Base): Promise<Running> {
  const { config, logger } = options;
  const clock = new ClockGuard({
    alarm: (details) => onTrouble(base.metrics, logger)('store-clock-jumped', details),
  });
  const alarm = (what: string): void => base.metrics.process.alarm(what);
  const onRedirect = (kind: RedirectKind): void => base.metrics.store.noteRedirect(kind);
  const ledger = await openLedger(config.store, logger, { alarm, clockGuard: clock, onRedirect });
  try {
    await claimStore(ledger, config.quotas);
    await createOrgs(ledger, config);
    return assembleRunning(options, { ...base, clock }, ledger);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

function assembleRunning(options: AppOptions, base: Base & { clock: ClockGuard }, ledger: Ledger): Running {
  const { config, logger, bootstrapToken, environment = {} } = options;
  const { metrics, certificates, onError } = base;
  const batcher = batcherOver(options, ledger, metrics);
  const spool = spoolOf(options, metrics, batcher);
  const observer = new RequestTelemetry(
    metrics,
    new RequestLog(logger, () => metrics.process.leftOut()),
    new UnknownGroups(metrics.unknownGroups, logger),
  );
  const chargedCalls = new ChargedCalls();
  const shared = { config, environment, ledger, batcher, metrics, observer, logger, chargedCalls, onError };
  const stages = { now: buildStages(shared) };
  const gateway = buildGateway({
    enter: (request, response) => stages.now.pipeline.enter(request, response),
    me: (request) => stages.now.me(request),
    history: (request) => stages.now.history(request),
    raiseRequests: () => stages.now.raiseRequests,
    quotaPath: config.quotaPath,
    clients: config.server.clients,
    onError,
    onRefused: (code) => observer.refused(code),
    tls: certificates.of('gateway'),
  });
  const notifier = buildNotifier(config, { ledger, metrics, logger, onError });
  const exporter = buildExporter(config, { ledger, metrics, logger, onError });
  const loginCodes = new LoginCodes();
  const quotasOf = (action: string) => stages.now.actions.get(action);
  const tls = certificates.of('admin');
  const login = { bootstrapToken, loginCodes, environment };
  const admin = buildAdminOf(config, { ledger, notifier, quotasOf, logger, tls, ...login });
  certificates.serve('gateway', gateway.app);
  certificates.serve('admin', admin);
  // Started last, because these would keep running after a failed start.
  const clockLook = lookWhileRefusing(base.clock, () => lookAtClock(ledger));
  const maintenance = startMaintenance({
    ledger,
    onNotices: (org) => notifier.look(org),
    onJournal: (org, work) => exporter.look(org, work),
    retention: retentionOf(config),
    everyMs: MAINTENANCE_EVERY_MS,
    history: config.retention,
    onError: (error) => {
      // The state of the store has its own metric and events, and the next round follows in a second.
      if (!(error instanceof StoreError)) onError(error);
      else logger.debug({ event: 'maintenance_postponed', err: error }, 'Maintenance waits for the store.');
    },
    onExpired: (expired) => metrics.store.noteExpired(expired),
  });
  spool?.start();
  return new Running({
    ...base,
    shared,
    stages,
    maintenance,
    notifier,
    exporter,
    clockLook,
    gateway,
    admin,
    loginCodes,
    spool,
  });
}

function retentionOf({ retention }: Config) {
  const { auditDays, eventsDays } = retention;
  return { auditMs: auditDays * DAY_MS, eventsMs: eventsDays * DAY_MS, systemOrgs: SYSTEM_ORGS };
}

function batcherOver({ config, logger }: AppOptions, ledger: Ledger, metrics: Metrics): StoreBatcher {
  const logOpen = logOpenMode(logger, config.quotas);
  return new StoreBatcher({
    ledger,
    deadlineMs: config.store.deadlineMs,
    unknownUsers: config.identity.unknownUsers,
    observer: metrics.store,
    onTrouble: onTrouble(metrics, logger),
    onOpen: (event) => {
      metrics.open.note(event);
      logOpen(event);
    },
  });
}

/** Settlements that earlier processes could not deliver, and where this process stores its own. */
function spoolOf({ config, logger }: AppOptions, metrics: Metrics, batcher: StoreBatcher): Spool | undefined {
  if (config.spool === undefined) return undefined;
  return openSpool({
    path: config.spool.path,
    deliver: (call, isForgotten) => batcher.resume(call, isForgotten),
    onDelivered: (file, calls) =>
      logger.info(
        { event: 'spool_delivered', file, calls },
        'Settlements of an earlier process were delivered.',
      ),
    onTrouble: (file, err) => {
      metrics.process.alarm('spool-trouble');
      logger.error({ event: 'spool_failed', file, err }, SPOOL_FAILED);
    },
  });
}

type OnTrouble = (what: string, details: object) => void;

function onTrouble(metrics: Metrics, logger: Logger): OnTrouble {
  return (what, details) => {
    metrics.process.alarm(what);
    logTrouble(logger, what, details);
  };
}

/** Orgs that the file states otherwise than the ledger has them, with what differs. */
async function differingOrgs(ledger: Ledger, { orgs, quotas }: Config): Promise<Reloaded['differing']> {
  const differing: Record<string, Readonly<Record<string, number>>> = {};
  for (const [id, seed] of Object.entries(orgs)) {
    const differences = await orgDifferences(ledger, { id, seed, quotas }).catch(() => ({ unread: 1 }));
    if (Object.keys(differences).length > 0) differing[id] = differences;
  }
  return differing;
}

async function createOrgs(ledger: Ledger, { orgs, quotas }: Config): Promise<void> {
  for (const [id, org] of Object.entries(orgs)) await createOrg(ledger, { id, seed: org, quotas });
}

interface SharedResources extends Base {
  readonly shared: StagesOptions;
  readonly stages: { now: Stages };
  readonly maintenance: MaintenanceLoop;
  readonly notifier: Notifier;
  readonly exporter: Exporter;
  readonly clock: ClockGuard;
  readonly clockLook: ClockLookout;
  readonly gateway: Gateway;
  readonly admin: FastifyInstance;
  readonly loginCodes: LoginCodes;
  readonly spool: Spool | undefined;
}

class Running implements App {
  readonly ledger: Ledger;
  private config: Config;
  /** Stages of earlier configs that still serve requests. */
  private readonly leaving = new Map<Stages, Promise<void>>();
  private reloading: Promise<unknown> = Promise.resolve();
  private closed: Promise<boolean> | undefined;

  constructor(private readonly resources: SharedResources) {
    this.ledger = resources.shared.ledger;
    this.config = resources.shared.config;
  }

  get state(): State {
    const { ops, gateway, shared, clock, spool } = this.resources;
    const { batcher, ledger } = shared;
    const { backlog, state, lost, open } = batcher;
    const requestsInFlight = gateway.inFlight;
    return {
      ready: ops.phase === 'ready',
      storeReady: ledger.ready,
      clockRefused: clock.refusing,
      requestsInFlight,
      backlog,
      batcher: state,
      spooled: spool?.undelivered ?? 0,
      lost,
      open,
    };
  }

  loginCode(token: string): string {
    return this.resources.loginCodes.make(token);
  }

  async listen(): Promise<Addresses> {
    const { gateway, admin, ops, opsAddress } = this.resources;
    const { server } = this.config;
    const addresses = {
      gateway: await listenOn(gateway.app, 'server.gateway', server.gateway),
      admin: await listenOn(admin, 'server.admin', server.admin),
      ops: opsAddress,
    };
    ops.phase = 'ready';
    return addresses;
  }

  async drain(): Promise<void> {
    const { ops, gateway } = this.resources;
    ops.phase = 'draining';
    gateway.drain();
    await delay(this.config.server.drainMs);
  }

  close(): Promise<boolean> {
    this.closed ??= this.end();
    return this.closed;
  }

  reload(read: () => Config): Promise<Reloaded> {
    const done = this.reloading.then(() => this.take(read));
    this.reloading = done.catch(() => undefined);
    const count = (taken: boolean) => () => this.resources.metrics.process.reloaded('config', taken);
    done.then(count(true), count(false));
    return done;
  }

  reloadCertificates(): void {
    this.resources.certificates.reload();
  }

  private async take(read: () => Config): Promise<Reloaded> {
    const { config, waiting } = changeOf(this.config, read());
    const { stages, shared, admin } = this.resources;
    const before = stages.now;
    const next = buildStages({ ...shared, config }, before);
    try {
      await createOrgs(this.ledger, config);
    } catch (error) {
      await retireStages(next, before);
      throw error;
    }
    stages.now = next;
    this.config = config;
    shared.batcher.unknownUsers = config.identity.unknownUsers;
    for (const logger of [shared.logger, admin.log]) logger.level = config.log.level;
    this.leave(before, next);
    return { waiting, differing: await differingOrgs(this.ledger, config) };
  }

  private leave(before: Stages, next?: Stages): void {
    const left = retireStages(before, next).catch(this.resources.onError);
    this.leaving.set(before, left);
    void left.then(() => this.leaving.delete(before));
  }

  private async end(): Promise<boolean> {
    const { ops, gateway, admin, maintenance, notifier, exporter, clockLook, certificates, stages, shared } =
      this.resources;
    const { logger, batcher } = shared;
    ops.phase = 'draining';
    await this.reloading;
    const cutOff = async (): Promise<void> => {
      logger.warn(
        { event: 'requests_cut_off', requests: gateway.inFlight },
        'Requests did not end within server.finishMs and were cut off.',
      );
      for (const one of [stages.now, ...this.leaving.keys()]) await abortStages(one);
    };
    await closeWithin(gateway.app, this.config.server.finishMs, cutOff);
    this.leave(stages.now);
    // A compressed response that is never fully read must not keep the process running.
    await Promise.race([Promise.all(this.leaving.values()), delay(DELIVERY_MS, undefined, { ref: false })]);
    const delivered = await batcher.drain(DELIVERY_MS);
    const kept = delivered || (await keepUndelivered(this.resources.shared, this.resources.spool));
    await this.resources.spool?.close();
    await closeWithin(admin, ADMIN_MS);
    clockLook.close();
    const background = [maintenance.close(), notifier.close(), exporter.close()];
    const left = Promise.all(background).then(() => this.ledger.close());
    // A store that does not respond may not respond to closing either.
    await (delivered
      ? left
      : Promise.race([left.catch(this.resources.onError), delay(FAREWELL_MS, undefined, { ref: false })]));
    certificates.close();
    await ops.close();
    return kept;
  }
}
