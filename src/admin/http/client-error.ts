/** Responds to unparsable requests with problem documents. */
import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, ProblemError } from '../../errors/catalogue.js';
import { problemDocument } from './problems.js';

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** Closes the connection: the following bytes may belong to the invalid ones. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // After a request that is not answered yet, the response would be read as the response to that request.
  if (!socket.writable || isAnswering(socket)) {
    socket.destroy();
    return;
  }
  const problem = new ProblemError(
    CODES[error.code ?? ''] ?? 'request-malformed',
    'The request could not be read',
  );
  const body = JSON.stringify(problemDocument(problem, randomUUID()));
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Node keeps the current response on its socket, without a public name. */
function isAnswering(socket: Socket & { _httpMessage?: ServerResponse | null }): boolean {
  return socket._httpMessage !== undefined && socket._httpMessage !== null;
}
