/** Reads the body of a request whose cost is in the body. The read is bounded and ends before anything is forwarded. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../errors/catalogue.js';
import { boundaryOf } from './form.js';

/** The client disconnected before its body was complete, so no answer is needed. */
export class BodyAborted extends Error {
  override readonly name = 'BodyAborted';
  constructor() {
    super('the client disconnected before its body was complete');
  }
}

/**
 * Reads the body. Rejects with `body-encoded`, or with `body-too-large` before the first byte if Content-Length exceeds
 * the limit. A body that is cut off at the limit leaves unread bytes in the socket, so the answer must close the
 * connection. `forms`: multipart forms are accepted too.
 */
export async function readBody(request: IncomingMessage, limitBytes: number, forms = false): Promise<Buffer> {
  refuseEncoded(request.rawHeaders, forms);
  return await readBytes(request, limitBytes);
}

/** Reads a body that has no cost in it: its type and coding are not checked. */
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
      // Keeps the error handler: a late error of an abandoned request would otherwise be unhandled.
      if (error === undefined) request.off('error', onGone);
      else {
        request.pause();
        reject(error);
      }
    };
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

/** JSON types, and types that clients send with JSON. */
const READ_AS_JSON = /^(?:(?:application|text)\/(?:[\w.-]+\+)*json|text\/plain)[\t ]*(?:;|$)/i;
const READ_AS_UTF8 = /;[\t ]*charset="?(?:utf-8|us-ascii)"?[\t ]*(?:;|$)/i;

/**
 * Refuses a body that the upstream could interpret differently from the meter: a content coding, another charset, or
 * another type. A JSON body can also be a valid form: `{"n":1,"x":"&n=1000&"}`.
 */
function refuseEncoded(rawHeaders: readonly string[], forms: boolean): void {
  const isForm = forms && boundaryOf(rawHeaders) !== undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1] ?? '';
    switch (rawHeaders[index]?.toLowerCase()) {
      case 'content-encoding':
        if (value.toLowerCase() !== 'identity')
          throw encoded('This route cannot read an encoded body: remove the header Content-Encoding.');
        break;
      case 'transfer-encoding':
        if (value.toLowerCase() !== 'chunked') throw encoded('Transfer-Encoding must be chunked or absent.');
        break;
      case 'content-type':
        if (!isForm && !isReadAsJson(value))
          throw encoded(`Content-Type must be application/json in UTF-8${forms ? FORM_TOO : ''}.`);
        break;
    }
  }
}

function isReadAsJson(type: string): boolean {
  if (!READ_AS_JSON.test(type)) return false;
  const mentions = type.toLowerCase().split('charset').length - 1;
  return mentions === 0 || (mentions === 1 && READ_AS_UTF8.test(type));
}

const FORM_TOO = ', or multipart/form-data with a boundary and no other parameter';

function encoded(detail: string): ProblemError {
  return new ProblemError('body-encoded', detail);
}

function tooLarge(limitBytes: number): ProblemError {
  return new ProblemError('body-too-large', `The body exceeds the limit of ${limitBytes} bytes.`);
}
