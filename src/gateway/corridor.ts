/**
 * The one way through: identify ─► meter ─► reserve ─► forward ─► settle.
 *
 * The order matters: nothing is metered for a caller who is not known, nothing is reserved for a cost that cannot be
 * used, nothing is sent for which no budget was taken, and what was taken is looked at again whatever comes of it.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import type { ForwardJob, Outcome } from '../forward/outcome.js';
import type { Identifier, Identity } from '../identify/identifier.js';
import type { Answer } from '../ledger/lanes/index.js';
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
  readonly action: string;
  /** A request without identity is refused; on an anonymous route nobody is asked. */
  readonly identityRequired: boolean;
  readonly meter: RouteMeter;
  readonly forward: (job: ForwardJob, done: (outcome: Outcome) => void) => void;
}

export interface Rooms {
  readonly findRoute: FindRoute<Passage>;
  readonly identifier: Identifier;
  readonly decide: (org: string, op: ReserveOp) => Promise<Answer>;
  readonly settle: Settle;
  readonly rateLimitFields: RateLimitFields;
  readonly quotaRefusal: QuotaRefusal;
  /** Told of what is our own fault. */
  readonly onError: (error: unknown) => void;
}

/** One request on its way. */
interface Walk {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  readonly passage: Passage;
  body: Buffer | undefined;
}

const NO_FIELDS: readonly string[] = [];

export function corridor(rooms: Rooms): (request: IncomingMessage, response: ServerResponse) => void {
  const way = new Corridor(rooms);
  return (request, response) => way.enter(request, response);
}

class Corridor {
  private readonly stripHeaders: ReadonlySet<string>;

  constructor(private readonly rooms: Rooms) {
    this.stripHeaders = new Set(rooms.identifier.headers);
  }

  enter(request: IncomingMessage, response: ServerResponse): void {
    this.walk(request, response).catch((error: unknown) => this.fail(request, response, error));
  }

  private async walk(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = targetOf(request);
    const passage = this.rooms.findRoute(request.method ?? '', target.path);
    if (passage === undefined)
      throw new ProblemError('route-unknown', 'No route matches this method and path.');
    const way: Walk = { request, response, target, passage, body: undefined };
    const identity = passage.identityRequired ? this.identityOf(request) : undefined;
    const { meter } = passage;
    if (meter.needsBody) way.body = await readBody(request, meter.bodyLimitBytes);
    const charges = meter.fixed ?? meter.measure(request.rawHeaders, way.body);
    if (identity === undefined || charges.items.length === 0) this.forward(way, NO_FIELDS, undefined);
    else await this.reserve(way, identity, charges);
  }

  private identityOf(request: IncomingMessage): Identity {
    const identity = this.rooms.identifier.identify(request);
    if (identity === undefined)
      throw new ProblemError('identity-missing', 'The request names no org and user.');
    return identity;
  }

  private async reserve(way: Walk, identity: Identity, charges: Charges): Promise<void> {
    const { org, user, claims } = identity;
    const { answer } = way.passage.meter;
    const hold = answer === undefined ? '' : holdId();
    const asked = { kind: 'reserve', user, claims, charges, hold, ttlMs: HOLD_TTL_MS } as const;
    const op = identity.key === undefined ? asked : { ...asked, key: identity.key };
    const { result, now, cycle } = await this.rooms.decide(org, op);
    if (result.status === 'admitted') {
      const { groups } = result;
      const about = { org, user: result.user ?? user, groups, charges, cycle: cycle.start, at: now, hold };
      const reader = answer?.open();
      const admission = answer === undefined ? about : { ...about, evidence: reader, floors: answer.floors };
      this.forward(way, this.rooms.rateLimitFields(result, cycle, now), admission, reader);
    } else if (result.status === 'refused') {
      const { action } = way.passage;
      const userId = result.user === undefined ? identity.userId : userOfToken(result.user);
      const about = { org, userId, action, cycle, now };
      send(way.request, way.response, this.rooms.quotaRefusal(result, about));
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
    const { request, response, target, body } = way;
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
      if (outcome.kind === 'not-sent' || outcome.kind === 'broken') {
        const error = new ProblemError(outcome.error, 'The upstream gave no answer.');
        send(request, response, refusal(error));
      }
    });
  }

  private fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (error instanceof BodyAborted) {
      request.socket.destroy();
      return;
    }
    if (error instanceof ProblemError) {
      send(request, response, refusal(error));
      return;
    }
    this.rooms.onError(error);
    send(request, response, refusal(new ProblemError('internal', 'The request could not be handled.')));
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
function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Refusal): void {
  if (response.headersSent || response.destroyed) return;
  const unread =
    request.readableEnded || request.complete ? 0 : Number(request.headers['content-length'] ?? Infinity);
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const close = chunked || (unread > DISCARD_MAX_BYTES && unread !== Infinity);
  response.writeHead(status, close ? [...headers, 'Connection', 'close'] : headers);
  response.end(request.method === 'HEAD' ? undefined : body);
}
