/** What is no HTTP/1.1 of one meaning: what node's parser refuses, and what it lets through though two programs could differ. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode, Problem } from '../errors/catalogue.js';
import { refusal } from './refusal.js';

/** Many servers take no more; node would silently leave out what is beyond a bound of its own. */
const FIELDS_MAX = 256;

// A name or an IPv4 address, or an IPv6 address in brackets, and perhaps a port, which may be empty (RFC 3986, 3.2.3).
const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?$/;
const PORT_MAX = 65_535;

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * The target in the form that is matched. Of an absolute one (RFC 9112, 3.2.2) the authority stands for Host, whatever that
 * says; one whose authority is not sound stays as it is, and is refused.
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

/** Why a request that was parsed is refused all the same; undefined for a sound one. */
export function wireFault(request: IncomingMessage): Problem | undefined {
  const { httpVersion, method, headers, rawHeaders } = request;
  const old = httpVersion === '1.0';
  if (!old && httpVersion !== '1.1')
    return malformed('The request line names no version of HTTP that is spoken here.');
  if (rawHeaders.length > 2 * FIELDS_MAX)
    return fault('headers-too-large', `A request may have at most ${FIELDS_MAX} header fields.`);
  if (method === 'TRACE') return fault('method-refused', 'TRACE would show what only the upstream may see.');
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
  if (ABSOLUTE.test(url)) return malformed('The target’s authority must be a host and perhaps a port.');
  if (hosts === 1 ? isHost(host) : hosts === 0 && old) return undefined;
  return malformed('The request must have one Host field, with a host and perhaps a port.');
}

/** Beyond 2^53 − 1 programs differ in the number that they read. */
function lengthFault({ 'content-length': length }: IncomingMessage['headers']): Problem | undefined {
  if (length === undefined || Number(length) <= Number.MAX_SAFE_INTEGER) return undefined;
  return malformed(`Content-Length may be at most ${Number.MAX_SAFE_INTEGER}.`);
}

function codingFault(headers: IncomingMessage['headers'], old: boolean): Problem | undefined {
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (old) return malformed('HTTP/1.0 has no Transfer-Encoding.');
  return coding.toLowerCase() === 'chunked' ? undefined : malformed('Transfer-Encoding can only be chunked.');
}

/** What asks for something else than the request line says, or than can be given. */
function meaningFault(headers: IncomingMessage['headers']): Problem | undefined {
  const { upgrade, expect } = headers;
  // Clients ask for h2c by the way (Java's does so always), and are content with an answer in HTTP/1.1.
  if (upgrade !== undefined && upgrade.toLowerCase() !== 'h2c')
    return fault('upgrade-refused', 'Connections are not upgraded here.');
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return fault('expectation-refused', 'The only expectation that can be met is 100-continue.');
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

/** Answers bytes that could not be parsed, on a connection where nothing is under way, and ends it. */
export function refuseBytes(socket: Socket, error: NodeJS.ErrnoException): ErrorCode {
  return endWith(
    socket,
    fault(CODES[error.code ?? ''] ?? 'request-malformed', 'The request could not be read.'),
  );
}

export function refuseTunnel(socket: Socket): ErrorCode {
  return endWith(socket, fault('method-refused', 'CONNECT asks for a tunnel, and there is none here.'));
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
