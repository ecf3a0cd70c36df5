/**
 * The one routed through: identify ─► meter ─► reserve ─► forward ─► settle.
 *
 * The order matters: nothing is metered for a caller who is not known, nothing is reserved for a cost that cannot be
 * used, nothing is sent for which no budget was taken, and what was taken is looked at again whatever comes of it.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, type Problem, ProblemError } from '../errors/catalogue.js';
import type { ForwardHandle, ForwardJob, Outcome } from '../forward/outcome.js';
import type { Identifier, Identity } from '../identify/identifier.js';
import type { Answer, OpenBound } from '../ledger/batching/index.js';
import type { Admitted, Bounds, Denied, Refused, ReserveOp, Result } from '../ledger/port.js';
import { BodyAborted, readBody, readBytes } from '../meter/body.js';
import type { RouteMeter } from '../meter/meter.js';
import type { Priced } from '../meter/priced.js';
import type { AnswerObserver, HoldSteps } from '../meter/reader.js';
import { type Charges, charges } from '../quota/charge.js';
import { userIdOf } from '../quota/id.js';
import type { Admission } from '../settle/admission.js';
import type { Ending, Settle } from '../settle/settle.js';
import { canonicalPath, type Target } from './path.js';
import type { RateLimitFields } from './ratelimit-fields.js';
import {
  type ErrorShape,
  type QuotaRefusals,
  type Refusal,
  type RefusedRequest,
  refusal,
  reshaped,
} from './refusal.js';
import type { Replays } from './replays.js';
import { nameRequest, REQUEST_ID } from './request-id.js';
import type { FindRoute } from './routes.js';

/** A route as the pipeline walks it. */
export interface CompiledRoute {
  /** The route's `match`. */
  readonly route: string;
  readonly action: string;
  /** Name of the upstream. */
  readonly upstream: string;
  /** A request without identity is refused; on an anonymous route nobody is asked. */
  readonly identityRequired: boolean;
  readonly meter: RouteMeter;
  /** Where the upstream marks its replays. */
  readonly replays?: Replays | undefined;
  /** How far the route goes while the store gives no decision; left out: not at all. */
  readonly open?: OpenBound | undefined;
  /** How errors look to the route's callers; left out: problem+json. */
  readonly errorShape?: ErrorShape | undefined;
  readonly forward: (job: ForwardJob, done: (outcome: Outcome) => void) => ForwardHandle;
}

export interface PipelineStages {
  readonly findRoute: FindRoute<CompiledRoute>;
  readonly identifier: Identifier;
  readonly decide: (org: string, op: ReserveOp, open: OpenBound | undefined) => Promise<Answer>;
  readonly settle: Settle;
  /** Life of the hold of a request whose cost is known later. */
  readonly holdMs: number;
  /** The answer where no route matches, and whose errors callers expect there. */
  readonly noRoute: (path: string) => Refusal;
  readonly errorShapeNear: (path: string) => ErrorShape | undefined;
  /** `deny`: all groups that a credential claims must be known. Left out: unknown ones do not count. */
  readonly unknownGroups?: 'ignore' | 'deny';
  readonly rateLimitFields: RateLimitFields;
  readonly quotaRefusals: QuotaRefusals;
  /** Told of what is our own fault. */
  readonly onError: (error: unknown) => void;
  /** Looks on; left out, it costs nothing. */
  readonly observer?: PipelineObserver;
}

export interface PipelineObserver {
  enter(request: IncomingMessage): RequestObserver;
}

/** Looks on while one request walks. Each is called once at most, in this order. */
export interface RequestObserver {
  readonly id: string;
  /** The client named no id that can be used: this one goes along. */
  readonly idIsNew: boolean;
  matched(route: CompiledRoute): void;
  reserving(org: string, charges: Charges, claims: string): void;
  decided(answer: Answer, hold: string): void;
  forwarded(outcome: Outcome): void;
  /** The gateway gives the answer itself. */
  refused(code: ErrorCode, status: number): void;
}

/** What an answer of our own goes to. */
interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly observer: RequestObserver | undefined;
  errorShape: ErrorShape | undefined;
}

/** One request on its routed. */
interface RoutedRequest extends RequestContext {
  readonly target: Target;
  readonly route: CompiledRoute;
  /** Where its cost was looked for in it. */
  readonly body: Buffer | undefined;
}

/** A decision, and what it was about. */
interface Decided {
  readonly priced: Priced;
  readonly hold: string;
  readonly decision: Answer;
}

/** What of a priced request goes upstream, and who looks on. */
interface Sent extends Pick<Priced, 'body' | 'setFields'> {
  readonly reader?: AnswerObserver | undefined;
}

/** How often a request is made smaller to fit into what is left. */
const CLAMP_TRIES_MAX = 4;

/** A request that nothing is charged for. */
const FREE: Priced = { charges: charges('', []) };

const INVALID_KEY = 'The API key is not valid.';
const NO_FIELDS: readonly string[] = [];
/** Tells that no budget was checked: there are no figures to tell. */
const OPEN_FIELDS: readonly string[] = ['QuotaGate-Mode', 'open'];

export class RequestPipeline {
  private readonly stripHeaders: ReadonlySet<string>;
  /** Requests that have not been handed to their upstream yet, nor refused. */
  private active = 0;
  private onIdle: (() => void) | undefined;

  constructor(private readonly stages: PipelineStages) {
    this.stripHeaders = new Set(stages.identifier.headers);
  }

  enter(request: IncomingMessage, response: ServerResponse): void {
    const observer = this.stages.observer?.enter(request);
    const context: RequestContext = { request, response, observer, errorShape: undefined };
    this.active += 1;
    this.process(context).then(this.leave, (error: unknown) => {
      this.leave();
      this.fail(context, error);
    });
  }

  /** Resolves when nobody walks here: nothing more comes from here to identifiers and forwarders. */
  async idle(): Promise<void> {
    if (this.active === 0) return;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
    });
  }

  private readonly leave = (): void => {
    this.active -= 1;
    if (this.active === 0) this.onIdle?.();
  };

  private async process(context: RequestContext): Promise<void> {
    const { request, response, observer } = context;
    const target = targetOf(request);
    const route = this.stages.findRoute(request.method ?? '', target.path);
    if (route === undefined) {
      context.errorShape = this.stages.errorShapeNear(target.path);
      send(context, this.stages.noRoute(target.path));
      return;
    }
    observer?.matched(route);
    const { errorShape, meter } = route;
    context.errorShape = errorShape;
    const asked = route.identityRequired ? this.stages.identifier.identify(request) : undefined;
    // Waited for only where there is something to wait for.
    const identity = asked instanceof Promise ? await asked : asked;
    if (identity === undefined && route.identityRequired)
      throw new ProblemError('identity-missing', 'The request names no org and user.');
    const reading = bodyOf(request, route);
    const body = reading === undefined ? undefined : await reading;
    const measured = meter.fixed ?? meter.measure({ ...target, rawHeaders: request.rawHeaders, body });
    const priced = measured instanceof Promise ? await measured : measured;
    const routed: RoutedRequest = { request, response, observer, errorShape, target, route, body };
    if (identity === undefined || priced.charges.items.length === 0) this.forward(routed, FREE, NO_FIELDS);
    else await this.reserve(routed, identity, priced);
  }

  private async reserve(routed: RoutedRequest, identity: Identity, asked: Priced): Promise<void> {
    routed.observer?.reserving(identity.org, asked.charges, identity.claims);
    const hold = holdFor(asked);
    const decision = await this.decide(routed, identity, asked, hold);
    const first: Decided = { priced: asked, hold, decision };
    const isShort = decision.result.status === 'refused' && asked.clamp !== undefined;
    const decided = isShort ? await this.clamp(routed, identity, first) : first;
    routed.observer?.decided(decided.decision, decided.hold);
    const { result } = decided.decision;
    if (result.status === 'admitted') this.admit(routed, identity, decided, result);
    else if (result.status === 'refused') {
      const about = aboutOf(routed, identity, result, decided.decision);
      send(routed, this.stages.quotaRefusals.refusal(result, about));
    } else if (result.status === 'denied') throw denial(result, identity);
    else throw new Error(`The ledger answered a reservation with ${result.status}`);
  }

  private decide(routed: RoutedRequest, identity: Identity, priced: Priced, hold: string): Promise<Answer> {
    const { org, user, claims, key } = identity;
    const { charges: asked } = priced;
    const { open } = routed.route;
    const { holdMs: ttlMs, unknownGroups } = this.stages;
    const plain = { kind: 'reserve', user, claims, charges: asked, hold, ttlMs } as const;
    const op = unknownGroups === 'deny' && claims !== '' ? { ...plain, unknownGroups } : plain;
    if (key === undefined) return this.stages.decide(org, op, open);
    return this.stages.decide(org, { ...op, key }, open).catch(hideOrg);
  }

  /** There was too little room: decides on what fits into it. Between two tries, others may have taken that. */
  private async clamp(routed: RoutedRequest, identity: Identity, refused: Decided): Promise<Decided> {
    let last = refused;
    for (let tries = 0; tries < CLAMP_TRIES_MAX; tries += 1) {
      const { result } = last.decision;
      if (result.status !== 'refused' || !isOfHeld(result, refused.priced)) break;
      const priced = refused.priced.clamp?.(leftIn(result));
      if (priced === undefined) break;
      const hold = holdFor(priced);
      last = { priced, hold, decision: await this.decide(routed, identity, priced, hold) };
    }
    return last;
  }

  private admit(routed: RoutedRequest, { org, user }: Identity, decided: Decided, result: Admitted): void {
    const { priced, hold, decision } = decided;
    const { now, cycle, chargeLater, call = '' } = decision;
    const { charges: asked, reader, floors, answerFields } = priced;
    const payer = result.user ?? user;
    const { request, target, body, route } = routed;
    const replay = route.replays?.open(
      { org, user: payer, target: target.path + target.query, request, body },
      reader,
    );
    const admission: Admission = {
      org,
      user: payer,
      groups: result.groups,
      charges: asked,
      cycle: cycle.start,
      at: now,
      call,
      hold: chargeLater === undefined ? hold : '',
      evidence: reader,
      floors,
      replay,
      chargeLater,
    };
    const fields = chargeLater === undefined ? this.stages.rateLimitFields(result, cycle, now) : OPEN_FIELDS;
    const all = answerFields === undefined ? fields : [...fields, ...answerFields];
    const sent: Sent = replay === undefined ? priced : { ...priced, reader: replay };
    const under = this.forward(routed, sent, all, admission);
    if (reader?.steps !== undefined && admission.hold !== '')
      this.growHold(routed, admission, reader.steps, cycle, under);
  }

  /** While the answer comes, more is held for it; where there is no room, the answer may have to end. */
  private growHold(
    routed: RoutedRequest,
    admission: Admission,
    steps: HoldSteps,
    cycle: Bounds,
    under: ForwardHandle,
  ): void {
    const { org, user, at } = admission;
    const about = { org, userId: userIdOf(user), action: routed.route.action, cycle, now: at };
    steps.onShort = () => {
      this.stages.settle.extend(admission, steps.wanted()).then((result) => {
        const last =
          result.status === 'renewed' ? steps.granted() : steps.refused(this.noMore(result, about));
        if (last !== undefined) under.cut(last);
      }, this.stages.onError);
    };
  }

  /** What cannot be judged is not granted either. */
  private noMore(result: Result, about: RefusedRequest): Problem {
    if (result.status === 'refused') return this.stages.quotaRefusals.problem(result, about);
    return new ProblemError('hold-lost', 'The store does not know the hold of this answer.');
  }

  private forward(
    routed: RoutedRequest,
    sent: Sent,
    extraHeaders: readonly string[],
    admission?: Admission,
  ): ForwardHandle {
    if (admission !== undefined) this.stages.settle.begin(admission);
    const { request, response, target, observer } = routed;
    // By it the upstream's log and ours tell of the same request.
    if (observer?.idIsNew) nameRequest(request.rawHeaders, observer.id);
    const job: ForwardJob = {
      method: request.method ?? '',
      path: target.path + target.query,
      rawHeaders: request.rawHeaders,
      request,
      body: sent.body ?? routed.body,
      response,
      extraHeaders,
      setFields: sent.setFields,
      stripHeaders: this.stripHeaders,
      clientAddress: addressOf(request),
      observer: sent.reader,
    };
    return routed.route.forward(job, (outcome) => {
      if (admission !== undefined) this.stages.settle.end(admission, endingOf(outcome));
      observer?.forwarded(outcome);
      if (outcome.kind === 'not-sent' || outcome.kind === 'broken') {
        const error = new ProblemError(outcome.error, 'The upstream gave no answer.');
        send(routed, refusal(error));
      }
    });
  }

  private fail(context: RequestContext, error: unknown): void {
    if (error instanceof BodyAborted) {
      context.request.socket.destroy();
      return;
    }
    if (error instanceof ProblemError) {
      send(context, refusal(error));
      return;
    }
    this.stages.onError(error);
    send(context, refusal(new ProblemError('internal', 'The request could not be handled.')));
  }
}

/** Undefined where nothing is to be read of it before it is forwarded. */
function bodyOf(request: IncomingMessage, { meter, replays }: CompiledRoute): Promise<Buffer> | undefined {
  if (meter.needsBody) return readBody(request, meter.bodyLimitBytes, meter.takesForms);
  return replays?.needsBody(request) ? readBytes(request, meter.bodyLimitBytes) : undefined;
}

/** Holds are named by this process and a number: no two are the same. */
const PROCESS = randomBytes(9).toString('base64url');
let holds = 0;

/** Nothing is held where every cost is known. */
function holdFor({ reader }: Priced): string {
  if (reader === undefined) return '';
  holds += 1;
  return `${PROCESS}.${holds.toString(36)}`;
}

function addressOf({ socket }: IncomingMessage): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** Which orgs there are is not told to whoever makes up a key. */
function hideOrg(error: unknown): never {
  if (error instanceof ProblemError && error.code === 'unknown-org')
    throw new ProblemError('credential-invalid', INVALID_KEY);
  throw error;
}

function aboutOf(
  { route }: RoutedRequest,
  { org, userId }: Identity,
  { user }: Refused,
  { cycle, now }: Answer,
): RefusedRequest {
  const { action } = route;
  return { org, userId: user === undefined ? userId : userIdOf(user), action, cycle, now };
}

/** A smaller request helps only where no other cost is refused too. */
function isOfHeld({ violated }: Refused, { charges: { items } }: Priced): boolean {
  return violated.every(({ quota }) => items.some((item) => item.kind === 'held' && item.quota === quota));
}

/** What is left of a quota, where that is why it was refused. */
function leftIn({ violated }: Refused): (quota: string) => number {
  return (quota) => {
    let left = Number.POSITIVE_INFINITY;
    for (const one of violated)
      if (one.quota === quota) left = Math.min(left, one.limit - one.consumed - one.held);
    return left;
  };
}

function targetOf(request: IncomingMessage): Target {
  const target = canonicalPath(request.url ?? '');
  if (target === undefined)
    throw new ProblemError('path-refused', 'The path can be read in more than one routed.');
  return target;
}

function denial({ reason, groups = '' }: Denied, { org, userId }: Identity): ProblemError {
  switch (reason) {
    case 'unknown-group':
      return new ProblemError(reason, `Organization ${org} has no group ${groups.replaceAll(',', ', ')}.`);
    case 'voided':
      return new ProblemError('internal', 'The reservation was voided.');
    case 'invalid-key':
      return new ProblemError('credential-invalid', INVALID_KEY);
    case 'no-plan':
      return new ProblemError(reason, `Organization ${org} has no plan for a quota of this route.`);
    case 'no-seat':
    case 'org-archived':
      return new ProblemError(reason, `Organization ${org} takes no request of ${userId}.`);
    default:
      return new ProblemError(
        reason,
        `${userId === '' ? 'The user of this key' : `User ${userId}`} is refused by organization ${org}.`,
      );
  }
}

function endingOf(outcome: Outcome): Ending {
  switch (outcome.kind) {
    case 'answered': {
      const { status, complete, clientGone } = outcome;
      return { kind: 'status', status, whole: complete, clientGone };
    }
    case 'client-gone':
      return { kind: 'unseen' };
    default:
      return { kind: 'unserved' };
  }
}

/** What of a refused request's body may still be read, so that its connection can be used again. */
const DISCARD_MAX_BYTES = 65_536;

/** Writes an answer of our own. The rest of a large body is not waited for: the connection ends with the answer. */
function send({ request, response, observer, errorShape }: RequestContext, refused: Refusal): void {
  const { status, headers, body, code } =
    errorShape === undefined ? refused : reshaped(refused, errorShape, request);
  if (observer !== undefined && code !== undefined) {
    observer.refused(code, status);
    headers.push(REQUEST_ID, observer.id);
  }
  if (response.headersSent || response.destroyed) return;
  const unread =
    request.readableEnded || request.complete ? 0 : Number(request.headers['content-length'] ?? Infinity);
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const close = chunked || (unread > DISCARD_MAX_BYTES && unread !== Infinity);
  response.writeHead(status, close ? [...headers, 'Connection', 'close'] : headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}
