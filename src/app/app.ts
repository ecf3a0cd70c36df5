/** The composition root: config ─► ledger ─► stages ─► listeners; what a reload and a stop mean for each. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { buildAdmin, createOrg } from '../admin/index.js';
import type { Environment } from '../config/environment.js';
import type { Config } from '../config/schema.js';
import { buildGateway, type Gateway } from '../gateway/gateway.js';
import { ChargedCalls } from '../gateway/replays.js';
import { StoreBatcher } from '../ledger/batching/index.js';
import { ClockGuard, type ClockLookout, lookWhileRefusing } from '../ledger/clock-guard.js';
import type { Ledger } from '../ledger/port.js';
import { claimStore, lookAtClock } from '../ledger/store-meta.js';
import { type MaintenanceLoop, startMaintenance } from '../maintenance/maintenance-loop.js';
import { Metrics, type State } from '../observe/metrics.js';
import { Ops } from '../observe/ops.js';
import { RequestTelemetry } from '../observe/pipeline-observer.js';
import { RequestLog } from '../observe/request-log.js';
import { UnknownGroups } from '../observe/unknown-groups.js';
import { openSpool, type Spool } from '../spool/spool.js';
import { openLedger } from './build-ledger.js';
import { abortStages, buildStages, retireStages, type Stages, type StagesOptions } from './build-stages.js';
import { addressOf, Certificates, closeWithin, listenOn, naming } from './listen.js';
import { logOpenMode } from './open-mode.js';
import { changeOf } from './reload.js';
import { logTrouble } from './troubles.js';

export interface App {
  readonly ledger: Ledger;
  /** Where the listeners are, once they listen: `host:port`. */
  listen(): Promise<Addresses>;
  /** Not ready from here on, but it serves for the config's `drainMs`, while load balancers learn of it. */
  drain(): Promise<void>;
  /** Takes no more requests, ends those under way, delivers what is owed. False: some of that is neither delivered nor kept. */
  close(): Promise<boolean>;
  /** Takes what it can of a new config; rejects where it cannot be used, and then all stays as it was. */
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
  /** Settings that differ from those in use, and wait for a restart. */
  readonly waiting: readonly string[];
}

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** An admin token beside those in the ledger. */
  readonly bootstrapToken?: string | undefined;
  /** Where settings with `env` find their secrets. */
  readonly environment?: Environment | undefined;
}

const KEEPER_EVERY_MS = 1_000;
/** When all requests are over: for what is owed to the store, and for admins. */
const DELIVERY_MS = 8_000;
const ADMIN_MS = 1_000;
const FAREWELL_MS = 1_000;

const SPOOL_FAILED = 'The spool cannot be read or written: check its path, permissions and free space.';

/** Opens the ledger, creates the orgs that the config names and the ledger has not, and builds the listeners. */
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
    // First of all, so that who starts the process sees it live while the ledger is read.
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

/** What there is before the ledger. */
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
  const ledger = await openLedger(config.store, logger, { alarm, clockGuard: clock });
  try {
    await claimStore(ledger, config.quotas);
    await createOrgs(ledger, config);
    return furnish(options, { ...base, clock }, ledger);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

function furnish(options: AppOptions, base: Base & { clock: ClockGuard }, ledger: Ledger): Running {
  const { config, logger, bootstrapToken, environment = {} } = options;
  const { metrics, certificates, onError } = base;
  const batcher = lanesOver(ledger, config, logger, metrics);
  const spool = spoolOf(options, metrics, batcher);
  const observer = new RequestTelemetry(
    metrics,
    new RequestLog(logger, () => metrics.process.leftOut()),
    new UnknownGroups(metrics.unknownGroups, logger),
  );
  const chargedCalls = new ChargedCalls();
  const room = { config, environment, ledger, batcher, metrics, observer, logger, chargedCalls, onError };
  const stages = { now: buildStages(room) };
  const gateway = buildGateway({
    walk: (request, response) => stages.now.pipeline.enter(request, response),
    me: (request) => stages.now.me(request),
    quotaPath: config.quotaPath,
    clients: config.server.clients,
    onError,
    onRefused: (code) => observer.refused(code),
    tls: certificates.of('gateway'),
  });
  const admin = buildAdmin({
    ledger,
    quotas: config.quotas,
    bootstrapToken,
    logger,
    tls: certificates.of('admin'),
  });
  certificates.serve('gateway', gateway.app);
  certificates.serve('admin', admin);
  // Last: nothing that can still fail comes behind what would run on after a refused start.
  const onExpired = (count: number): void => metrics.store.holdsExpired(count);
  const clockLook = lookWhileRefusing(base.clock, () => lookAtClock(ledger));
  const keeper = startMaintenance({ ledger, everyMs: KEEPER_EVERY_MS, onError, onExpired });
  spool?.start();
  return new Running({ ...base, room, stages, keeper, clockLook, gateway, admin, spool });
}

function lanesOver(ledger: Ledger, config: Config, logger: Logger, metrics: Metrics): StoreBatcher {
  const logOpen = logOpenMode(logger, config.quotas);
  return new StoreBatcher({
    ledger,
    deadlineMs: config.store.deadlineMs,
    unknownUsers: config.identity.unknownUsers,
    observer: metrics.store,
    onTrouble: onTrouble(metrics, logger),
    onOpen: (event) => {
      metrics.open.told(event);
      logOpen(event);
    },
  });
}

/** What earlier processes could not deliver, and where this one leaves what it cannot. */
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

async function createOrgs(ledger: Ledger, { orgs, quotas }: Config): Promise<void> {
  for (const [id, org] of Object.entries(orgs)) await createOrg(ledger, id, org, quotas);
}

interface SharedResources extends Base {
  readonly room: StagesOptions;
  readonly stages: { now: Stages };
  readonly keeper: MaintenanceLoop;
  readonly clock: ClockGuard;
  readonly clockLook: ClockLookout;
  readonly gateway: Gateway;
  readonly admin: FastifyInstance;
  readonly spool: Spool | undefined;
}

class Running implements App {
  readonly ledger: Ledger;
  private config: Config;
  /** Stages of earlier configs that requests still walk in. */
  private readonly leaving = new Map<Stages, Promise<void>>();
  private reloading: Promise<unknown> = Promise.resolve();
  private closed: Promise<boolean> | undefined;

  constructor(private readonly resources: SharedResources) {
    this.ledger = resources.room.ledger;
    this.config = resources.room.config;
  }

  get state(): State {
    const { ops, gateway, room, clock, spool } = this.resources;
    const { batcher, ledger } = room;
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
    const { stages, room, admin } = this.resources;
    const before = stages.now;
    const next = buildStages({ ...room, config }, before);
    try {
      await createOrgs(this.ledger, config);
    } catch (error) {
      await retireStages(next, before);
      throw error;
    }
    stages.now = next;
    this.config = config;
    room.batcher.unknownUsers = config.identity.unknownUsers;
    for (const logger of [room.logger, admin.log]) logger.level = config.log.level;
    this.leave(before, next);
    return { waiting };
  }

  private leave(before: Stages, next?: Stages): void {
    const left = retireStages(before, next).catch(this.resources.onError);
    this.leaving.set(before, left);
    void left.then(() => this.leaving.delete(before));
  }

  private async end(): Promise<boolean> {
    const { ops, gateway, admin, keeper, clockLook, certificates, stages, room } = this.resources;
    const { logger, batcher } = room;
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
    // A coded answer that is never read to its end must not keep the process.
    await Promise.race([Promise.all(this.leaving.values()), delay(DELIVERY_MS, undefined, { ref: false })]);
    const delivered = await batcher.drain(DELIVERY_MS);
    const kept = delivered || (await this.keepUndelivered());
    await this.resources.spool?.close();
    await closeWithin(admin, ADMIN_MS);
    clockLook.close();
    const left = keeper.close().then(() => this.ledger.close());
    // A store that gives no answer gives none to a farewell either.
    await (delivered
      ? left
      : Promise.race([left.catch(this.resources.onError), delay(FAREWELL_MS, undefined, { ref: false })]));
    certificates.close();
    await ops.close();
    return kept;
  }

  /** Spools what the store could not be told. Without a spool each operation is logged: an operator may make it good. */
  private async keepUndelivered(): Promise<boolean> {
    const { spool, room } = this.resources;
    const { logger, batcher } = room;
    const calls = batcher.undelivered();
    if (calls.length === 0) return true;
    try {
      if (spool !== undefined) {
        const file = await spool.write(calls);
        logger.warn(
          { event: 'settlements_spooled', file, calls: calls.length },
          'The store did not take these settlements; they wait on disk for the next process.',
        );
        return true;
      }
    } catch (err) {
      logger.error({ event: 'spool_failed', err }, SPOOL_FAILED);
    }
    for (const { org, inDoubt, ops } of calls)
      for (const { op } of ops)
        if (op.kind !== 'none')
          logger.error(
            { event: 'settlement_undelivered', org, op, inDoubt },
            'A settlement is lost: the store did not take it, and it could not be spooled.',
          );
    return false;
  }
}
