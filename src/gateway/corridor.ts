/**
 * The one way through: identify ─► meter ─► reserve ─► forward ─► settle.
 *
 * The order matters: nothing is metered for a caller who is not known, nothing is reserved for a cost that cannot be
 * used, nothing is sent for which no budget was taken, and what was taken is looked at again whatever comes of it.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ErrorCode, ProblemError } from '../errors/catalogue.js';
import type { ForwardJob, Outcome } from '../forward/outcome.js';
import type { Identifier, Identity } from '../identify/identifier.js';
import type { Answer, OpenBound } from '../ledger/lanes/index.js';
import type { Denied, ReserveOp } from '../ledger/port.js';
import type { AnswerReader } from '../meter/answer.js';
import { BodyAborted, readBody } from '../meter/body.js';
import type { RouteMeter } from '../meter/meter.js';
import type { Charges } from '../quota/charge.js';
import { userOfToken } from '../quota/id.js';
import type { Admission } from '../settle/admission.js';
import { type Ending, HOLD_TTL_MS, type Settle } from '../settle/settle.js';
import { canonicalPath, type Target } from './path.js';
import type { RateLimitFields } from './ratelimit-fields.js';
import { type QuotaRefusal, type Refusal, refusal } from './refusal.js';
import type { FindRoute } from './routes.js';

/** A route as the corridor walks it. */
export interface Passage {
  /** The route's `match`. */
  readonly route: string;
  readonly action: string;
  /** Name of the upstream. */
  readonly upstream: string;
  /** A request without identity is refused; on an anonymous route nobody is asked. */
  readonly identityRequired: boolean;
  readonly meter: RouteMeter;
  /** How far the route goes while the store gives no decision; left out: not at all. */
  readonly open?: OpenBound | undefined;
  readonly forward: (job: ForwardJob, done: (outcome: Outcome) => void) => void;
}

export interface Rooms {
  readonly findRoute: FindRoute<Passage>;
  readonly identifier: Identifier;
  readonly decide: (org: string, op: ReserveOp, open: OpenBound | undefined) => Promise<Answer>;
  readonly settle: Settle;
  readonly rateLimitFields: RateLimitFields;
  readonly quotaRefusal: QuotaRefusal;
  /** Told of what is our own fault. */
  readonly onError: (error: unknown) => void;
  /** Looks on; left out, it costs nothing. */
  readonly watch?: Watch;
}

export interface Watch {
  enter(request: IncomingMessage): Visit;
}

/** Looks on while one request walks. Each is called once at most, in this order. */
export interface Visit {
  readonly id: string;
  /** The client named no id of the request: this one goes along. */
  readonly idIsNew: boolean;
  matched(passage: Passage): void;
  reserving(org: string, charges: Charges): void;
  decided(answer: Answer, hold: string): void;
  forwarded(outcome: Outcome): void;
  /** The gateway gives the answer itself. */
  refused(code: ErrorCode, status: number): void;
}

/** One request on its way. */
interface Walk {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  readonly passage: Passage;
  readonly visit: Visit | undefined;
  body: Buffer | undefined;
}

/** What an answer of our own goes to. */
type Asker = Pick<Walk, 'request' | 'response' | 'visit'>;

const REQUEST_ID = 'X-Request-Id';
const NO_FIELDS: readonly string[] = [];
/** Tells that no budget was checked: there are no figures to tell. */
const OPEN_FIELDS: readonly string[] = ['QuotaGate-Mode', 'open'];

export class Corridor {
  private readonly stripHeaders: ReadonlySet<string>;
  /** Requests that have not been handed to their upstream yet, nor refused. */
  private walking = 0;
  private onIdle: (() => void) | undefined;

  constructor(private readonly rooms: Rooms) {
    this.stripHeaders = new Set(rooms.identifier.headers);
  }

  enter(request: IncomingMessage, response: ServerResponse): void {
    const asker: Asker = { request, response, visit: this.rooms.watch?.enter(request) };
    this.walking += 1;
    this.walk(asker).then(this.leave, (error: unknown) => {
      this.leave();
      this.fail(asker, error);
    });
  }

  /** Resolves when nobody walks here: nothing more comes from here to identifiers and forwarders. */
  async idle(): Promise<void> {
    if (this.walking === 0) return;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
    });
  }

  private readonly leave = (): void => {
    this.walking -= 1;
    if (this.walking === 0) this.onIdle?.();
  };

  private async walk({ request, response, visit }: Asker): Promise<void> {
    const target = targetOf(request);
    const passage = this.rooms.findRoute(request.method ?? '', target.path);
    if (passage === undefined)
      throw new ProblemError('route-unknown', 'No route matches this method and path.');
    visit?.matched(passage);
    const way: Walk = { request, response, visit, target, passage, body: undefined };
    const asked = passage.identityRequired ? this.rooms.identifier.identify(request) : undefined;
    // Waited for only where there is something to wait for.
    const identity = asked instanceof Promise ? await asked : asked;
    if (identity === undefined && passage.identityRequired)
      throw new ProblemError('identity-missing', 'The request names no org and user.');
    const { meter } = passage;
    if (meter.needsBody) way.body = await readBody(request, meter.bodyLimitBytes);
    const charges = meter.fixed ?? meter.measure(request.rawHeaders, way.body);
    if (identity === undefined || charges.items.length === 0) this.forward(way, NO_FIELDS, undefined);
    else await this.reserve(way, identity, charges);
  }

  private async reserve(way: Walk, identity: Identity, charges: Charges): Promise<void> {
    const { org, user, claims } = identity;
    const { answer } = way.passage.meter;
    const hold = answer === undefined ? '' : holdId();
    const asked = { kind: 'reserve', user, claims, charges, hold, ttlMs: HOLD_TTL_MS } as const;
    const op = identity.key === undefined ? asked : { ...asked, key: identity.key };
    way.visit?.reserving(org, charges);
    const decision = await this.rooms.decide(org, op, way.passage.open);
    way.visit?.decided(decision, hold);
    const { result, now, cycle, chargeLater } = decision;
    if (result.status === 'admitted') {
      const { groups } = result;
      const decided = { org, user: result.user ?? user, groups, charges, cycle: cycle.start, at: now, hold };
      const about = chargeLater === undefined ? decided : { ...decided, hold: '', chargeLater };
      const reader = answer?.open();
      const admission = answer === undefined ? about : { ...about, evidence: reader, floors: answer.floors };
      const fields = chargeLater === undefined ? this.rooms.rateLimitFields(result, cycle, now) : OPEN_FIELDS;
      this.forward(way, fields, admission, reader);
    } else if (result.status === 'refused') {
      const { action } = way.passage;
      const userId = result.user === undefined ? identity.userId : userOfToken(result.user);
      const about = { org, userId, action, cycle, now };
      send(way, this.rooms.quotaRefusal(result, about));
    } else if (result.status === 'denied') throw denial(result, identity);
    else throw new Error(`The ledger answered a reservation with ${result.status}`);
  }

  private forward(
    way: Walk,
    extraHeaders: readonly string[],
    admission: Admission | undefined,
    watcher?: AnswerReader,
  ): void {
    if (admission !== undefined) this.rooms.settle.begin(admission);
    const { request, response, target, body, visit } = way;
    // By it the upstream's log and ours tell of the same request.
    if (visit?.idIsNew) request.rawHeaders.push(REQUEST_ID, visit.id);
    const job: ForwardJob = {
      method: request.method ?? '',
      path: target.path + target.query,
      rawHeaders: request.rawHeaders,
      request,
      body,
      response,
      extraHeaders,
      stripHeaders: this.stripHeaders,
      clientAddress: addressOf(request),
      watcher,
    };
    way.passage.forward(job, (outcome) => {
      if (admission !== undefined) this.rooms.settle.end(admission, endingOf(outcome));
      visit?.forwarded(outcome);
      if (outcome.kind === 'not-sent' || outcome.kind === 'broken') {
        const error = new ProblemError(outcome.error, 'The upstream gave no answer.');
        send(way, refusal(error));
      }
    });
  }

  private fail(asker: Asker, error: unknown): void {
    if (error instanceof BodyAborted) {
      asker.request.socket.destroy();
      return;
    }
    if (error instanceof ProblemError) {
      send(asker, refusal(error));
      return;
    }
    this.rooms.onError(error);
    send(asker, refusal(new ProblemError('internal', 'The request could not be handled.')));
  }
}

/** Holds are named by this process and a number: no two are the same. */
const PROCESS = randomBytes(9).toString('base64url');
let holds = 0;

function holdId(): string {
  holds += 1;
  return `${PROCESS}.${holds.toString(36)}`;
}

function addressOf({ socket }: IncomingMessage): string {
  const address = socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

function targetOf(request: IncomingMessage): Target {
  const target = canonicalPath(request.url ?? '');
  if (target === undefined)
    throw new ProblemError('path-refused', 'The path can be read in more than one way.');
  return target;
}

function denial({ reason }: Denied, { org, userId }: Identity): ProblemError {
  switch (reason) {
    case 'voided':
      return new ProblemError('internal', 'The reservation was voided.');
    case 'invalid-key':
      return new ProblemError('credential-invalid', 'The API key is not valid.');
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
function send({ request, response, visit }: Asker, { status, headers, body, code }: Refusal): void {
  if (visit !== undefined && code !== undefined) {
    visit.refused(code, status);
    headers.push(REQUEST_ID, visit.id);
  }
  if (response.headersSent || response.destroyed) return;
  const unread =
    request.readableEnded || request.complete ? 0 : Number(request.headers['content-length'] ?? Infinity);
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const close = chunked || (unread > DISCARD_MAX_BYTES && unread !== Infinity);
  response.writeHead(status, close ? [...headers, 'Connection', 'close'] : headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}
