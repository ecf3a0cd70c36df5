/** Errors of the admin API: one handler converts everything that is thrown into a problem of the catalogue. */
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, ProblemError, problemBody } from '../../errors/catalogue.js';
import { StoreError } from '../../ledger/port.js';

export interface FieldProblem {
  /** Path of the member, such as `limits/0/units`; `body` for the whole body. */
  readonly field: string;
  readonly problem: string;
}

export function invalid(field: string, problem: string, members: Record<string, unknown> = {}): ProblemError {
  return invalidFields([{ field, problem }], members);
}

export function invalidFields(
  errors: readonly FieldProblem[],
  members: Record<string, unknown> = {},
): ProblemError {
  const detail = errors.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  return new ProblemError('input-invalid', detail, { members: { errors, ...members } });
}

export function notFound(what: string): ProblemError {
  return new ProblemError('not-found', `${what} not found`);
}

export type SendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply;

/** How a problem is written. */
type ProblemForm = (
  problem: ProblemError,
  request: FastifyRequest,
) => { readonly status: number; readonly type: string; readonly body: object };

/** `id`: of the request, a UUID. */
export function problemDocument(problem: ProblemError, id: string): object {
  return { ...problemBody(problem), instance: `urn:uuid:${id}` };
}

const PROBLEM_JSON: ProblemForm = (problem, { id }) => ({
  status: problem.status,
  type: 'application/problem+json',
  body: problemDocument(problem, id),
});

/** Internal errors are logged. */
export function problemSender(logger: FastifyBaseLogger | undefined, form = PROBLEM_JSON): SendProblem {
  return (error, request, reply) => {
    const problem = problemOf(error, request);
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    if (problem.code === 'internal')
      logger?.error(
        { event: 'admin_request_failed', requestId: request.id, err: error },
        'An admin request failed: report it with its stack.',
      );
    const { status, type, body } = form(problem, request);
    return reply.code(status).type(type).send(body);
  };
}

/** The methods of a path. */
export type MethodsOf = (path: string) => readonly string[];

export function sendNotFound(send: SendProblem, methodsOf: MethodsOf) {
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const allowed = methodsOf(request.url.replace(/\?.*/s, ''));
    if (allowed.length === 0) return send(notFound('path'), request, reply);
    reply.header('allow', allowed.join(', '));
    const detail = `${request.method} is not allowed; allowed: ${allowed.join(', ')}`;
    return send(new ProblemError('method-not-allowed', detail), request, reply);
  };
}

/** Statuses that Fastify uses for requests it cannot read. */
const UNREADABLE: Record<number, ErrorCode> = {
  400: 'request-malformed',
  413: 'body-too-large',
  414: 'request-malformed',
  415: 'body-not-json',
};

function problemOf(error: unknown, request: FastifyRequest): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof StoreError)
    return new ProblemError(
      'store-unavailable',
      changesNothing(request)
        ? 'The store could not be read; try again'
        : 'The store did not answer; the change may have been made',
    );
  if (error instanceof Error && 'statusCode' in error) {
    const code = UNREADABLE[Number(error.statusCode)];
    if (code !== undefined) return new ProblemError(code, error.message);
  }
  return new ProblemError('internal', 'The request failed');
}

function changesNothing({ method, query }: FastifyRequest): boolean {
  const { dryRun } = (query ?? {}) as { readonly dryRun?: unknown };
  return method === 'GET' || method === 'HEAD' || dryRun === true;
}
