/** The body of a request that is metered by it, read to a bound before anything is forwarded. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import { boundaryOf } from './form.js';

/** The client left before its body was complete: nobody waits for an answer. */
export class BodyAborted extends Error {
  override readonly name = 'BodyAborted';
  constructor() {
    super('the client left before its body was complete');
  }
}

/**
 * Reads the body. Rejects with `body-encoded` and, where Content-Length says so, `body-too-large` before the
 * first byte is read; a body cut off at the bound leaves the rest in the socket, so the answer to it must
 * close the connection. `forms`: a form is taken too.
 */
export async function readBody(request: IncomingMessage, limitBytes: number, forms = false): Promise<Buffer> {
  refuseEncoded(request.rawHeaders, forms);
  return await readBytes(request, limitBytes);
}

/** The same for a body that nobody reads a cost from: its type and coding are not looked at. */
export async function readBytes(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const declared = request.headers['content-length'];
  if (declared !== undefined && Number(declared) > limitBytes) throw tooLarge(limitBytes);
  if (request.destroyed || request.readableEnded) throw new BodyAborted();
  return await collect(request, limitBytes);
}

function collect(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limitBytes) stop(tooLarge(limitBytes));
      else chunks.push(chunk);
    };
    const onEnd = () => {
      stop();
      const [only] = chunks;
      resolve(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks, bytes));
    };
    const onGone = () => stop(new BodyAborted());
    const stop = (error?: Error) => {
      request.off('data', onData).off('end', onEnd).off('close', onGone);
      // A late error of a request that is given up has nobody else to hear it.
      if (error === undefined) request.off('error', onGone);
      else {
        request.pause();
        reject(error);
      }
    };
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

/** Types whose body is JSON, or what clients send with JSON without saying so. */
const READ_AS_JSON = /^(?:(?:application|text)\/(?:[\w.-]+\+)*json|text\/plain)[\t ]*(?:;|$)/i;
const READ_AS_UTF8 = /;[\t ]*charset="?(?:utf-8|us-ascii)"?[\t ]*(?:;|$)/i;

/**
 * Refuses whatever lets the upstream read other things out of these bytes than the meter does: a coding, a
 * charset, or another type (a JSON body can be a form too: `{"n":1,"x":"&n=1000&"}`).
 */
function refuseEncoded(rawHeaders: readonly string[], forms: boolean): void {
  const isForm = forms && boundaryOf(rawHeaders) !== undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1] ?? '';
    switch (rawHeaders[index]?.toLowerCase()) {
      case 'content-encoding':
        if (value.toLowerCase() !== 'identity') throw encoded('Content-Encoding must be left out here.');
        break;
      case 'transfer-encoding':
        if (value.toLowerCase() !== 'chunked') throw encoded('Transfer-Encoding can only be chunked here.');
        break;
      case 'content-type':
        if (!isForm && !isReadAsJson(value))
          throw encoded(`Content-Type must be application/json, in UTF-8${forms ? FORM_TOO : ''}.`);
        break;
    }
  }
}

function isReadAsJson(type: string): boolean {
  if (!READ_AS_JSON.test(type)) return false;
  const mentions = type.toLowerCase().split('charset').length - 1;
  return mentions === 0 || (mentions === 1 && READ_AS_UTF8.test(type));
}

const FORM_TOO = ', or multipart/form-data with a boundary and nothing else';

function encoded(detail: string): ProblemError {
  return new ProblemError('body-encoded', detail);
}

function tooLarge(limitBytes: number): ProblemError {
  return new ProblemError('body-too-large', `The body may have at most ${limitBytes} bytes.`);
}
