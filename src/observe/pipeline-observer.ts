/** Observes requests in the pipeline: counts their outcomes and writes their log lines. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Result } from '../ledger/port.js';
import type { Charges } from '../quota/charge.js';
import type { Metrics } from './metrics.js';
import type { RequestLine, RequestLog } from './request-log.js';
import type { UnknownGroups } from './unknown-groups.js';
import type { UpstreamOutcome } from './upstreams.js';

/** The labels of a route. */
export interface RouteLabels {
  /** The route's `match`. */
  readonly route: string;
  readonly action: string;
  readonly upstream: string;
}

/** The result of a reservation. */
export interface Decision {
  readonly result: Result;
  /** The call that decided, and the index in it. */
  readonly call?: string;
  readonly index?: number;
  /** Absent if the store was not asked: the request was admitted in open mode. */
  readonly chargeLater?: unknown;
}

/** How a forwarded request ended. */
export interface Ended {
  readonly kind: 'not-sent' | 'answered' | 'broken' | 'client-gone' | 'client-gone-unsent';
  readonly status?: number;
  readonly complete?: boolean;
  readonly clientGone?: boolean;
}

export class RequestTelemetry {
  constructor(
    readonly metrics: Metrics,
    readonly log: RequestLog,
    readonly unknownGroups?: UnknownGroups,
  ) {}

  enter(request: IncomingMessage): ObservedRequest {
    return new ObservedRequest(request, this);
  }

  /** A request that was refused before it entered the pipeline. */
  refused(code: string): void {
    this.metrics.refused(code);
  }
}

const PROCESS = randomBytes(6).toString('base64url');
let requests = 0;

const ID_FIELD = 'x-request-id';
const TRACE_FIELD = 'traceparent';
/** Log values must not break lines and must be short. */
const SOUND_ID = /^[\w.:+/=@-]{1,128}$/;
const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

const STATUS_CLASSES: readonly UpstreamOutcome[] = ['2xx', '3xx', '4xx', '5xx'];

export class ObservedRequest {
  /** The id by which the caller, the upstream and the log identify the request. */
  readonly id: string;
  /** The client sent no usable id, so the gateway's own is forwarded. */
  readonly idIsNew: boolean;
  private readonly startedAt = performance.now();
  protected route: RouteLabels | undefined;
  private org: string | undefined;
  private charges: Charges | undefined;
  private claims = '';
  private askedAt = 0;
  private forwardedAt = 0;
  private decisionMs: number | undefined;
  private decision: Decision | undefined;
  private hold = '';
  private outcome: UpstreamOutcome | undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly telemetry: RequestTelemetry,
  ) {
    const given = fieldIn(request.rawHeaders, ID_FIELD);
    this.idIsNew = given === undefined || !SOUND_ID.test(given);
    this.id = given === undefined || this.idIsNew ? newId() : given;
  }

  matched(route: RouteLabels): void {
    this.route = route;
  }

  reserving(org: string, charges: Charges, claims: string): void {
    this.org = org;
    this.claims = claims;
    this.charges = charges;
    this.askedAt = performance.now();
  }

  decided(decision: Decision, hold: string): void {
    if (this.charges === undefined) return;
    this.decision = decision;
    this.hold = hold;
    this.forwardedAt = performance.now();
    this.decisionMs = this.forwardedAt - this.askedAt;
    const { decisions } = this.telemetry.metrics;
    if (decision.chargeLater === undefined) decisions.decided(this.charges, decision.result, this.decisionMs);
    else decisions.undecided(this.charges, 'open', this.decisionMs);
    // In open mode the ledger was not asked which groups exist.
    if (this.claims !== '' && this.org !== undefined && decision.chargeLater === undefined)
      this.telemetry.unknownGroups?.decided(this.org, this.claims, decision.result);
  }

  forwarded(ended: Ended): void {
    if (this.route === undefined) return;
    const ms = performance.now() - (this.forwardedAt === 0 ? this.startedAt : this.forwardedAt);
    this.outcome = outcomeOf(ended);
    this.telemetry.metrics.upstreams.ended(this.route.upstream, this.outcome, ms);
    // In the other two cases the gateway responds itself, and `refused` logs it.
    if (ended.kind !== 'not-sent' && ended.kind !== 'broken')
      this.telemetry.log.forwarded(() => this.line(ended.status));
  }

  refused(code: string, status: number): void {
    this.telemetry.metrics.refused(code);
    if (this.charges !== undefined && this.decision === undefined) {
      this.decisionMs = performance.now() - this.askedAt;
      this.telemetry.metrics.decisions.undecided(this.charges, code, this.decisionMs);
    }
    this.telemetry.log.refused(status, () => this.line(status, code));
  }

  protected traceId(): string | undefined {
    return TRACE_PARENT.exec(fieldIn(this.request.rawHeaders, TRACE_FIELD) ?? '')?.[1];
  }

  private line(status: number | undefined, code?: string): RequestLine {
    const { route, decision, request } = this;
    const result = decision?.result;
    const refused = result?.status === 'refused' ? result : undefined;
    return {
      requestId: this.id,
      traceId: this.traceId(),
      method: request.method ?? '',
      route: route?.route,
      action: route?.action,
      org: this.org,
      decision: decision?.chargeLater === undefined ? decisionIn(result) : 'open',
      decisionId: this.decisionId(),
      decisionMs: rounded(this.decisionMs),
      quota: refused?.violated[0]?.quota,
      scope: refused?.violated[0]?.scope,
      upstream: this.outcome === undefined ? undefined : route?.upstream,
      outcome: this.outcome,
      code,
      status,
      ms: rounded(performance.now() - this.startedAt) ?? 0,
    };
  }

  /** A hold is listed under its own id; other decisions are identified by their call. */
  private decisionId(): string | undefined {
    if (this.hold !== '') return this.hold;
    const { call, index } = this.decision ?? {};
    return call === undefined ? undefined : `${call}.${index}`;
  }
}

function newId(): string {
  requests += 1;
  return `${PROCESS}.${requests.toString(36)}`;
}

/**
 * Returns the header with this name; repeated ones as one list. Node's own header table is built at its first use,
 * which costs more.
 */
function fieldIn(rawHeaders: readonly string[], name: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === name.length && rawHeaders[at]?.toLowerCase() === name)
      found = found === undefined ? rawHeaders[at + 1] : `${found}, ${rawHeaders[at + 1]}`;
  return found;
}

export function outcomeOf({ kind, status = 0, complete, clientGone }: Ended): UpstreamOutcome {
  switch (kind) {
    case 'answered':
      if (complete === true) return STATUS_CLASSES[Math.floor(status / 100) - 2] ?? '5xx';
      return clientGone === true ? 'client-gone' : 'cut-short';
    case 'broken':
      return 'no-answer';
    case 'not-sent':
      return 'not-sent';
    default:
      return 'client-gone';
  }
}

export function decisionIn(result: Result | undefined): string | undefined {
  if (result === undefined) return undefined;
  return 'reason' in result ? result.reason : result.status;
}

function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1_000) / 1_000;
}
