import type { Logger } from 'pino';
import { LoginCodes, SYSTEM_ORGS } from '../admin/index.js';
import type { Environment } from '../config/environment.js';
import type { Config } from '../config/schema.js';
import { buildGateway } from '../gateway/gateway.js';
import { ChargedCalls } from '../gateway/replays.js';
import { StoreBatcher } from '../ledger/batching/index.js';
import { ClockGuard, lookWhileRefusing } from '../ledger/clock-guard.js';
import { type Ledger, StoreError } from '../ledger/port.js';
import type { RedirectKind } from '../ledger/redis/slot-map.js';
import { claimStore, lookAtClock } from '../ledger/store-meta.js';
import { startMaintenance } from '../maintenance/maintenance-loop.js';
import { forgetRaiseRequests } from '../notify/raise-requests.js';
import { Metrics } from '../observe/metrics.js';
import { Ops } from '../observe/ops.js';
import { openSpool, type Spool } from '../spool/spool.js';
import { buildAdminOf } from './build-admin.js';
import { buildExporter } from './build-exporter.js';
import { openLedger } from './build-ledger.js';
import { buildNotifier, DAY_MS } from './build-notifier.js';
import { buildStages } from './build-stages.js';
import { buildTelemetry, startTracingIn } from './build-telemetry.js';
import { SPOOL_FAILED } from './keep-undelivered.js';
import { Certificates, listenAt } from './listen.js';
import { logOpenMode } from './open-mode.js';
import { createOrgs } from './orgs.js';
import { type App, type Base, Running } from './running.js';
import { logTrouble } from './troubles.js';

export interface AppOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** An admin token in addition to those in the ledger. */
  readonly bootstrapToken?: string | undefined;
  /** Environment variables for settings with `env`. */
  readonly environment?: Environment | undefined;
}

const MAINTENANCE_EVERY_MS = 1_000;

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
    const opsAddress = await listenAt('server.ops', config.server.ops, ({ host, port }) =>
      ops.listen(host, port),
    );
    const tracing = await startTracingIn(options.environment ?? {}, logger);
    running = await assemble(options, { metrics, certificates, ops, opsAddress, onError, tracing });
    return running;
  } catch (error) {
    certificates.close();
    await ops.close();
    throw error;
  }
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
  const observer = buildTelemetry(metrics, logger, base.tracing);
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
  const login = { bootstrapToken, loginCodes, environment };
  const admin = buildAdminOf(config, { ledger, notifier, quotasOf, logger, certificates, ...login });
  certificates.serve('gateway', gateway.app);
  const retention = retentionOf(config);
  // Started last, because these would keep running after a failed start.
  const clockLook = lookWhileRefusing(base.clock, () => lookAtClock(ledger));
  const maintenance = startMaintenance({
    ledger,
    onNotices: (org) => notifier.look(org),
    onJournal: (org, work) => exporter.look(org, work),
    onClean: (org) => forgetRaiseRequests(ledger, org, retention.eventsMs),
    retention,
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
