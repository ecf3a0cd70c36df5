/** What is no HTTP/1.1 of one meaning: what node's parser refuses, and what it lets through though two programs could differ. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorCode, ProblemError } from '../errors/catalogue.js';
import { refusal } from './refusal.js';

/** Why a request that was parsed is refused all the same; undefined for a sound one. */
export function wireFault({ httpVersion, headers, rawHeaders }: IncomingMessage): string | undefined {
  const old = httpVersion === '1.0';
  if (!old && httpVersion !== '1.1') return 'The request line names no version of HTTP that is spoken here.';
  if (old && headers['transfer-encoding'] !== undefined) return 'HTTP/1.0 has no Transfer-Encoding.';
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]?.length === 4 && rawHeaders[at]?.toLowerCase() === 'host') hosts += 1;
  return hosts > 1 || (hosts === 0 && !old) ? 'The request must have one Host field.' : undefined;
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** Answers bytes that could not be parsed, on a connection where nothing is under way, and ends it. */
export function refuseBytes(socket: Socket, error: NodeJS.ErrnoException): void {
  if (socket.writable) {
    const code = CODES[error.code ?? ''] ?? 'request-malformed';
    const { status, headers, body } = refusal(new ProblemError(code, 'The request could not be read.'));
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n`;
    for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
    socket.write(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]));
  }
  socket.destroySoon();
}
