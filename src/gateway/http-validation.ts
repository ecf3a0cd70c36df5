/**
 * Refuses requests that are not unambiguous HTTP/1.1: those that Node's parser refuses, and those that it accepts
 * although two programs could read them differently.
 */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode, Problem } from '../errors/catalogue.js';
import { refusal } from './refusal.js';

/** Many servers accept no more; Node would silently drop headers beyond its own limit. */
const FIELDS_MAX = 256;

// A name, an IPv4 address, or an IPv6 address in brackets, with an optional port that may be empty (RFC 3986, 3.2.3).
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?$/;
const PORT_MAX = 65_535;

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * Returns the target in the form that is matched. The authority of an absolute target (RFC 9112, 3.2.2) replaces Host.
 * A target with an invalid authority is returned unchanged, and is refused later.
 */
export function originForm(request: IncomingMessage): string {
  const { url = '', rawHeaders } = request;
  if (url.charCodeAt(0) === SLASH) return url;
  const [, authority = '', rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (!isHost(authority)) return url;
  const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (at !== -1) rawHeaders[at + 1] = authority;
  else if (request.httpVersion === '1.0') rawHeaders.push('Host', authority);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

const SLASH = 0x2f;

function isHost(text: string): boolean {
  const found = HOST.exec(text);
  return found !== null && Number(found[1] ?? '') <= PORT_MAX;
}

/** Returns why a parsed request is refused; undefined if it is valid. */
export function wireFault(request: IncomingMessage): Problem | undefined {
  const { httpVersion, method, headers, rawHeaders } = request;
  const old = httpVersion === '1.0';
  if (!old && httpVersion !== '1.1')
    return malformed('The HTTP version in the request line is not supported.');
  if (rawHeaders.length > 2 * FIELDS_MAX)
    return fault('headers-too-large', `The request has more than ${FIELDS_MAX} headers.`);
  if (method === 'TRACE')
    return fault(
      'method-refused',
      'The method TRACE is refused, because it would reveal headers that are meant for the upstream only.',
    );
  return (
    hostFault(request, old) ?? codingFault(headers, old) ?? lengthFault(headers) ?? meaningFault(headers)
  );
}

function hostFault({ rawHeaders, url = '' }: IncomingMessage, old: boolean): Problem | undefined {
  let hosts = 0;
  let host = '';
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.length !== 4 || rawHeaders[at]?.toLowerCase() !== 'host') continue;
    hosts += 1;
    host = rawHeaders[at + 1] ?? '';
  }
  if (ABSOLUTE.test(url)) return malformed('The target’s authority must be a host with an optional port.');
  if (hosts === 1 ? isHost(host) : hosts === 0 && old) return undefined;
  return malformed('The request must have one Host header: a host with an optional port.');
}

/** Above 2^53 − 1, programs read different numbers. */
function lengthFault({ 'content-length': length }: IncomingMessage['headers']): Problem | undefined {
  if (length === undefined || Number(length) <= Number.MAX_SAFE_INTEGER) return undefined;
  return malformed(`Content-Length exceeds the limit of ${Number.MAX_SAFE_INTEGER}.`);
}

function codingFault(headers: IncomingMessage['headers'], old: boolean): Problem | undefined {
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (old) return malformed('Transfer-Encoding is not defined in HTTP/1.0.');
  return coding.toLowerCase() === 'chunked' ? undefined : malformed('Transfer-Encoding must be chunked.');
}

/** Refuses requests that ask for a protocol or expectation that is not supported. */
function meaningFault(headers: IncomingMessage['headers']): Problem | undefined {
  const { upgrade, expect } = headers;
  // Some clients (such as Java's) always offer h2c and accept a response in HTTP/1.1.
  if (upgrade !== undefined && upgrade.toLowerCase() !== 'h2c')
    return fault('upgrade-refused', 'Upgrade is not supported.');
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return fault('expectation-refused', 'The only supported expectation is 100-continue.');
  return undefined;
}

function fault(code: ErrorCode, message: string): Problem {
  return { code, message, members: {} };
}

function malformed(message: string): Problem {
  return fault('request-malformed', message);
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** Responds to bytes that could not be parsed, on a connection without a request in progress, and closes it. */
export function refuseBytes(socket: Socket, error: NodeJS.ErrnoException): ErrorCode {
  return endWith(
    socket,
    fault(CODES[error.code ?? ''] ?? 'request-malformed', 'The request is not valid HTTP/1.1.'),
  );
}

export function refuseTunnel(socket: Socket): ErrorCode {
  return endWith(socket, fault('method-refused', 'The method CONNECT is not supported.'));
}

function endWith(socket: Socket, problem: Problem): ErrorCode {
  if (socket.writable) {
    const { status, headers, body } = refusal(problem);
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n`;
    for (let at = 0; at < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
    socket.write(Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), body]));
  }
  socket.destroySoon();
  return problem.code;
}
