/**
 * The request pipeline: identify ─► meter ─► reserve ─► forward ─► settle. `process` is the order.
 *
 * The order matters: an unknown caller is not metered, an invalid cost is not reserved, a request without a reservation
 * is not forwarded, and every reservation is settled, however its request ends.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import type { ForwardHandle, ForwardJob, Outcome } from '../forward/outcome.js';
import type { Identified, Identity } from '../identify/identifier.js';
import type { Answer } from '../ledger/batching/index.js';
import type { Admitted } from '../ledger/port.js';
import { BodyAborted, readBody, readBytes } from '../meter/body.js';
import type { Priced } from '../meter/priced.js';
import type { AnswerObserver } from '../meter/reader.js';
import { userIdOf } from '../quota/id.js';
import type { Admission } from '../settle/admission.js';
import type { Ending } from '../settle/settle.js';
import { denial, hideOrg, identityMissing } from './denial.js';
import { growHold } from './hold-growth.js';
import { canonicalPath, type Target } from './path.js';
import type { CompiledRoute, PipelineStages, RequestObserver } from './pipeline-types.js';
import { type ErrorShape, type Refusal, type RefusedRequest, refusal, reshaped } from './refusal.js';
import { nameRequest, REQUEST_ID } from './request-id.js';

/** What the gateway's own response needs. */
interface RequestContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly observer: RequestObserver | undefined;
  errorShape: ErrorShape | undefined;
}

interface RoutedRequest extends RequestContext {
  readonly target: Target;
  readonly route: CompiledRoute;
  /** Read to find the cost in it, or to recognize a repeated call. */
  body: Buffer | undefined;
}

/** What the ledger is asked to reserve. */
interface Reservation {
  readonly identity: Identity;
  readonly priced: Priced;
  /** Id of the hold; '' if all costs are known. */
  readonly hold: string;
}

interface Decided extends Reservation {
  readonly answer: Answer;
}

/**
 * The parts of a priced request for forwarding: what is sent upstream, who reads the response, and extra response
 * headers.
 */
interface Sent extends Pick<Priced, 'body' | 'setFields'> {
  readonly reader?: AnswerObserver | undefined;
  readonly extraHeaders: readonly string[];
}

/** A request that is not charged. */
const FREE: Sent = { extraHeaders: [] };
/** No limit was checked, so there are no figures to show. */
const OPEN_FIELDS: readonly string[] = ['QuotaGate-Mode', 'open'];

export class RequestPipeline {
  private readonly stripHeaders: ReadonlySet<string>;
  /** Requests that are neither forwarded nor refused yet. */
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

  /**
   * Resolves when every request has been forwarded or refused. This pipeline then no longer uses identifiers and
   * forwarders.
   */
  async idle(): Promise<void> {
    if (this.active === 0) return;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
    });
  }

  /**
   * Runs the stages in order. A stage that completes synchronously is not awaited, which would cost a turn of the event
   * loop.
   */
  private async process(context: RequestContext): Promise<void> {
    const routed = this.match(context);
    if (routed === undefined) return;
    const identified = this.identify(routed);
    const identity = identified instanceof Promise ? await identified : identified;
    if (identity === undefined && routed.route.identityRequired) throw identityMissing();
    const reading = bodyOf(routed);
    if (reading !== undefined) routed.body = await reading;
    const metered = meter(routed);
    const priced = metered instanceof Promise ? await metered : metered;
    if (identity === undefined || priced.charges.items.length === 0) this.forward(routed, FREE);
    else {
      const decided = await this.reserve(routed, identity, priced);
      const { result } = decided.answer;
      if (result.status === 'admitted') this.forwardAdmitted(routed, decided, result);
      else this.refuse(routed, decided);
    }
  }

  /** Returns undefined if no route matches; the response has then been written. */
  private match(context: RequestContext): RoutedRequest | undefined {
    const { request, response, observer } = context;
    const target = targetOf(request);
    const route = this.stages.findRoute(request.method ?? '', target.path);
    if (route === undefined) {
      context.errorShape = this.stages.errorShapeNear(target.path);
      respond(context, this.stages.noRoute(target.path));
      return undefined;
    }
    observer?.matched(route);
    context.errorShape = route.errorShape;
    return { request, response, observer, errorShape: route.errorShape, target, route, body: undefined };
  }

  private identify({ request, route }: RoutedRequest): Identified {
    return route.identityRequired ? this.stages.identifier.identify(request) : undefined;
  }

  private async reserve(routed: RoutedRequest, identity: Identity, priced: Priced): Promise<Decided> {
    routed.observer?.reserving(identity.org, priced.charges, identity.claims);
    const decided = await this.decide(routed, { identity, priced, hold: holdFor(priced) });
    routed.observer?.decided(decided.answer, decided.hold);
    return decided;
  }

  private async decide({ route }: RoutedRequest, reservation: Reservation): Promise<Decided> {
    const { identity, priced, hold } = reservation;
    const { org, user, claims, key } = identity;
    const { holdMs: ttlMs, unknownGroups, decide } = this.stages;
    const plain = { kind: 'reserve', user, claims, charges: priced.charges, hold, ttlMs } as const;
    const op = unknownGroups === 'deny' && claims !== '' ? { ...plain, unknownGroups } : plain;
    const answer = await (key === undefined
      ? decide(org, op, route.open)
      : decide(org, { ...op, key }, route.open).catch(hideOrg));
    return { identity, priced: pricedAsGranted(priced, answer), hold, answer };
  }

  private refuse(routed: RoutedRequest, { identity, answer }: Decided): void {
    const { result } = answer;
    if (result.status === 'denied') throw denial(result, identity);
    if (result.status !== 'refused')
      throw new Error(`The ledger answered a reservation with ${result.status}`);
    const { org } = identity;
    const user = result.user ?? identity.user;
    this.stages.countRefusal?.({ org, user, action: routed.route.action, refused: result, now: answer.now });
    const userId = result.user === undefined ? identity.userId : userIdOf(result.user);
    const about = refusedRequest(routed, { org, userId }, answer);
    respond(routed, this.stages.quotaRefusals.refusal(result, about));
  }

  private forwardAdmitted(routed: RoutedRequest, decided: Decided, result: Admitted): void {
    const { priced, answer } = decided;
    const { now, cycle, chargeLater } = answer;
    const { reader, answerFields } = priced;
    const { route, target, request, body } = routed;
    const { org } = decided.identity;
    const user = result.user ?? decided.identity.user;
    const call = { org, user, target: target.path + target.query, request, body };
    const replay = route.replays?.open(call, reader);
    const admission: Admission = { ...admissionOf(decided, result), user, replay };
    const fields = chargeLater === undefined ? this.stages.rateLimitFields(result, cycle, now) : OPEN_FIELDS;
    const sent: Sent = {
      body: priced.body,
      setFields: priced.setFields,
      reader: replay ?? reader,
      extraHeaders: answerFields === undefined ? fields : [...fields, ...answerFields],
    };
    const handle = this.forward(routed, sent, admission);
    if (reader?.steps === undefined || admission.hold === '') return;
    const about = refusedRequest(routed, { org, userId: userIdOf(user) }, answer);
    growHold({
      steps: reader.steps,
      extend: (more) => this.stages.settle.extend(admission, more),
      refusal: (refused) => this.stages.quotaRefusals.problem(refused, about),
      cut: (last) => handle.cut(last),
      onError: this.stages.onError,
    });
  }

  private forward(routed: RoutedRequest, sent: Sent, admission?: Admission): ForwardHandle {
    if (admission !== undefined) this.stages.settle.begin(admission);
    const { request, response, target, observer } = routed;
    // The upstream logs the same id as the gateway.
    if (observer?.idIsNew) nameRequest(request.rawHeaders, observer.id);
    const traced = observer?.forwarding?.();
    const job: ForwardJob = {
      method: request.method ?? '',
      path: target.path + target.query,
      rawHeaders: request.rawHeaders,
      request,
      body: sent.body ?? routed.body,
      response,
      extraHeaders: sent.extraHeaders,
      setFields: traced === undefined ? sent.setFields : [...(sent.setFields ?? []), ...traced],
      stripHeaders: this.stripHeaders,
      clientAddress: addressOf(request),
      observer: sent.reader,
    };
    return routed.route.forward(job, (outcome) => {
      if (admission !== undefined) this.stages.settle.end(admission, endingOf(outcome));
      observer?.forwarded(outcome);
      if (outcome.kind === 'not-sent' || outcome.kind === 'broken')
        respond(routed, refusal(upstreamError(outcome)));
    });
  }

  private readonly leave = (): void => {
    this.active -= 1;
    if (this.active === 0) this.onIdle?.();
  };

  private fail(context: RequestContext, error: unknown): void {
    if (error instanceof BodyAborted) {
      context.request.socket.destroy();
      return;
    }
    if (error instanceof ProblemError) {
      respond(context, refusal(error));
      return;
    }
    this.stages.onError(error);
    respond(context, refusal(new ProblemError('internal', 'the gateway could not handle this request')));
  }
}

function targetOf({ url = '' }: IncomingMessage): Target {
  const target = canonicalPath(url);
  if (target === undefined)
    throw new ProblemError('path-refused', 'the path is ambiguous: send it in its canonical form');
  return target;
}

/** Returns undefined if the gateway need not read the body before it forwards the request. */
function bodyOf({ request, route: { meter, replays } }: RoutedRequest): Promise<Buffer> | undefined {
  if (meter.needsBody) return readBody(request, meter.bodyLimitBytes, meter.takesForms);
  return replays?.needsBody(request) ? readBytes(request, meter.bodyLimitBytes) : undefined;
}

function meter({ route, target, request, body }: RoutedRequest): Priced | Promise<Priced> {
  return route.meter.fixed ?? route.meter.measure({ ...target, rawHeaders: request.rawHeaders, body });
}

/** A hold id contains this process' id and a number, so it is unique. */
const PROCESS = randomBytes(9).toString('base64url');
let holds = 0;

/** '' if all costs are known: nothing is held. */
function holdFor({ reader }: Priced): string {
  if (reader === undefined) return '';
  holds += 1;
  return `${PROCESS}.${holds.toString(36)}`;
}

/** Reduces the request if the ledger granted less than it asked for. */
function pricedAsGranted(priced: Priced, { result }: Answer): Priced {
  if (result.status !== 'admitted' || result.granted === undefined || priced.clamp === undefined)
    return priced;
  const { granted } = result;
  const { items } = priced.charges;
  if (items.every(({ units }, index) => (granted[index] ?? units) >= units)) return priced;
  return priced.clamp((quota) => granted[items.findIndex((item) => item.quota === quota)] ?? 0);
}

function refusedRequest(
  { route }: RoutedRequest,
  { org, userId }: { readonly org: string; readonly userId: string },
  { cycle, now }: Answer,
): RefusedRequest {
  return { org, userId, action: route.action, cycle, now };
}

function admissionOf(
  { identity, priced, hold, answer }: Decided,
  result: Admitted,
): Omit<Admission, 'user' | 'replay'> {
  const { now, cycle, chargeLater, call = '' } = answer;
  return {
    org: identity.org,
    groups: result.groups,
    charges: priced.charges,
    cycle: cycle.start,
    at: now,
    call,
    hold: chargeLater === undefined ? hold : '',
    key: identity.key,
    reader: priced.reader,
    floors: priced.floors,
    chargeLater,
  };
}

function addressOf({ socket }: IncomingMessage): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
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

function upstreamError({ error, kind }: Extract<Outcome, { kind: 'not-sent' | 'broken' }>): ProblemError {
  const how = kind === 'not-sent' ? 'the request was not sent' : 'the request was sent';
  return new ProblemError(error, `no response from the upstream: ${how}`);
}

/** If more than this is left of a refused request's body, its connection is closed instead of reused. */
const DISCARD_MAX_BYTES = 65_536;

/** Writes the gateway's own response, without waiting for the rest of a large body. */
function respond({ request, response, observer, errorShape }: RequestContext, refused: Refusal): void {
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
