/** What the pipeline is built from, and who observes it. */
import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../errors/catalogue.js';
import type { ForwardHandle, ForwardJob, Outcome } from '../forward/outcome.js';
import type { Identifier } from '../identify/identifier.js';
import type { Answer, OpenBound, RefusedCall } from '../ledger/batching/index.js';
import type { ReserveOp } from '../ledger/port.js';
import type { RouteMeter } from '../meter/meter.js';
import type { Charges } from '../quota/charge.js';
import type { Settle } from '../settle/settle.js';
import type { RateLimitFields } from './ratelimit-fields.js';
import type { ErrorShape, QuotaRefusals, Refusal } from './refusal.js';
import type { Replays } from './replays.js';
import type { FindRoute } from './routes.js';

/** A route, compiled from the config. */
export interface CompiledRoute {
  /** The route's `match`. */
  readonly route: string;
  readonly action: string;
  /** Name of the upstream. */
  readonly upstream: string;
  /** False for an anonymous route, which runs no identification. */
  readonly identityRequired: boolean;
  readonly meter: RouteMeter;
  /** How the upstream marks its replays. */
  readonly replays?: Replays | undefined;
  /** What the route admits while the store makes no decision. Absent: nothing. */
  readonly open?: OpenBound | undefined;
  /** The error format of the route's API. Absent: problem+json. */
  readonly errorShape?: ErrorShape | undefined;
  readonly forward: (job: ForwardJob, done: (outcome: Outcome) => void) => ForwardHandle;
}

export interface PipelineStages {
  readonly findRoute: FindRoute<CompiledRoute>;
  readonly identifier: Identifier;
  readonly decide: (org: string, op: ReserveOp, open: OpenBound | undefined) => Promise<Answer>;
  /** Counts a refused request for the history. Absent: nothing is counted. */
  readonly countRefusal?: (refused: RefusedCall) => void;
  readonly settle: Settle;
  /** Lifetime of the hold of a request whose cost is known later. */
  readonly holdMs: number;
  /** The response if no route matches, and the error format that callers expect there. */
  readonly noRoute: (path: string) => Refusal;
  readonly errorShapeNear: (path: string) => ErrorShape | undefined;
  /** `deny`: every group that a credential claims must exist. Absent: unknown groups are ignored. */
  readonly unknownGroups?: 'ignore' | 'deny';
  readonly rateLimitFields: RateLimitFields;
  readonly quotaRefusals: QuotaRefusals;
  /** Called with internal errors of the gateway. */
  readonly onError: (error: unknown) => void;
  /** Optional. */
  readonly observer?: PipelineObserver;
}

export interface PipelineObserver {
  enter(request: IncomingMessage): RequestObserver;
}

/** Observes one request. Each method is called at most once, in this order. */
export interface RequestObserver {
  readonly id: string;
  /** The client sent no usable id, so the gateway forwards this one. */
  readonly idIsNew: boolean;
  matched(route: CompiledRoute): void;
  reserving(org: string, charges: Charges, claims: string): void;
  decided(answer: Answer, hold: string): void;
  /** Before the request is sent: headers to set, as a flat list of lower-case names and values. */
  forwarding?(): readonly string[];
  forwarded(outcome: Outcome): void;
  /** The gateway responds itself. */
  refused(code: ErrorCode, status: number): void;
}
