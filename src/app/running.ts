/** The running program: its state, its changes of config, and how it ends. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { LoginCodes } from '../admin/index.js';
import type { Config } from '../config/schema.js';
import { OFF } from '../config/values.js';
import type { Exporter } from '../export/exporter.js';
import type { Gateway } from '../gateway/gateway.js';
import type { ClockGuard, ClockLookout } from '../ledger/clock-guard.js';
import type { Ledger } from '../ledger/port.js';
import type { MaintenanceLoop } from '../maintenance/maintenance-loop.js';
import type { Notifier } from '../notify/notifier.js';
import type { Metrics, State } from '../observe/metrics.js';
import type { Ops } from '../observe/ops.js';
import type { Tracing } from '../observe/tracing/index.js';
import type { Spool } from '../spool/spool.js';
import { abortStages, buildStages, retireStages, type Stages, type StagesOptions } from './build-stages.js';
import { keepUndelivered } from './keep-undelivered.js';
import { type Certificates, closeWithin, listenOn } from './listen.js';
import { createOrgs, differingOrgs, type OrgDifferences } from './orgs.js';
import { changeOf } from './reload.js';

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
  /** `off` if the config switches it off. */
  readonly admin: string;
  readonly ops: string;
}

export interface Reloaded {
  /** Changed settings that need a restart. */
  readonly waiting: readonly string[];
  /** Orgs that the file states otherwise than the ledger has them: how many differences of each kind. */
  readonly differing: OrgDifferences;
}

/** Time-outs, after the last request, for pending settlements and for admin requests. */
const DELIVERY_MS = 8_000;
const ADMIN_MS = 1_000;
const FAREWELL_MS = 1_000;

/** The parts that are built before the ledger. */
export interface Base {
  readonly metrics: Metrics;
  readonly certificates: Certificates;
  readonly ops: Ops;
  readonly opsAddress: string;
  readonly onError: (error: unknown) => void;
  readonly tracing: Tracing | undefined;
}

export interface SharedResources extends Base {
  readonly shared: StagesOptions;
  readonly stages: { now: Stages };
  readonly maintenance: MaintenanceLoop;
  readonly notifier: Notifier;
  readonly exporter: Exporter;
  readonly clock: ClockGuard;
  readonly clockLook: ClockLookout;
  readonly gateway: Gateway;
  readonly admin: FastifyInstance | undefined;
  readonly loginCodes: LoginCodes;
  readonly spool: Spool | undefined;
}

export class Running implements App {
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
      admin: admin === undefined ? OFF : await listenOn(admin, 'server.admin', server.admin),
      ops: opsAddress,
    };
    ops.phase = 'ready';
    return addresses;
  }

  async drain(): Promise<void> {
    const { ops, gateway } = this.resources;
    const { drainMs } = this.config.server;
    ops.phase = 'draining';
    gateway.drain();
    this.logDraining(drainMs);
    await delay(drainMs);
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
      await createOrgs(this.ledger, config, this.config.orgs);
    } catch (error) {
      await retireStages(next, before);
      throw error;
    }
    stages.now = next;
    this.config = config;
    shared.batcher.unknownUsers = config.identity.unknownUsers;
    shared.logger.level = config.log.level;
    if (admin !== undefined) admin.log.level = config.log.level;
    this.leave(before, next);
    return { waiting, differing: await differingOrgs(this.ledger, config) };
  }

  private leave(before: Stages, next?: Stages): void {
    const left = retireStages(before, next).catch(this.resources.onError);
    this.leaving.set(before, left);
    void left.then(() => this.leaving.delete(before));
  }

  /** `ms`: the time in which new requests are still served. */
  private logDraining(ms: number): void {
    const { gateway, shared } = this.resources;
    const until = new Date(Date.now() + ms + this.config.server.finishMs).toISOString();
    shared.logger.info(
      { event: 'draining', requests: gateway.inFlight, until },
      'The gateway stops: requests that have not ended by the time in `until` are cut off.',
    );
  }

  private async end(): Promise<boolean> {
    const {
      ops,
      gateway,
      admin,
      maintenance,
      notifier,
      exporter,
      clockLook,
      certificates,
      stages,
      shared,
      tracing,
    } = this.resources;
    const { logger, batcher } = shared;
    const hasServed = ops.phase !== 'starting';
    if (ops.phase === 'ready') this.logDraining(0);
    ops.phase = 'draining';
    await this.reloading;
    let requestsCutOff = 0;
    const cutOff = async (): Promise<void> => {
      requestsCutOff = gateway.inFlight;
      logger.warn(
        { event: 'requests_cut_off', requests: requestsCutOff },
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
    if (admin !== undefined) await closeWithin(admin, ADMIN_MS);
    clockLook.close();
    const background = [maintenance.close(), notifier.close(), exporter.close()];
    const left = Promise.all(background).then(() => this.ledger.close());
    // A store that does not respond may not respond to closing either.
    await (delivered
      ? left
      : Promise.race([left.catch(this.resources.onError), delay(FAREWELL_MS, undefined, { ref: false })]));
    await tracing?.close();
    certificates.close();
    await ops.close();
    const settlements = delivered ? 'delivered' : kept ? 'spooled' : 'lost';
    if (hasServed) logger.info({ event: 'stopped', requestsCutOff, settlements }, 'The process has stopped.');
    return kept;
  }
}
