/** The forwarder's input and the outcome it reports. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../errors/catalogue.js';
import type { AnswerObserver } from '../meter/reader.js';

/** A job that was begun. */
export interface ForwardHandle {
  /** Ends the client's answer with these bytes, and the upstream's at once. Does nothing where the job has ended. */
  cut(last: Buffer): void;
}

export interface ForwardJob {
  readonly method: string;
  /** Canonical, with its query. */
  readonly path: string;
  /** The client's own header fields, flat, as they came. */
  readonly rawHeaders: readonly string[];
  /** Its stream is the body, unless `body` holds it already. */
  readonly request: IncomingMessage;
  readonly body: Buffer | undefined;
  readonly response: ServerResponse;
  /** Flat; sent upstream in place of the client's fields of these names. */
  readonly setFields?: readonly string[] | undefined;
  /** Flat; added to the client's answer, whatever the upstream says. */
  readonly extraHeaders: readonly string[];
  /** Lower-case names of request fields that never travel upstream. */
  readonly stripHeaders: ReadonlySet<string>;
  readonly clientAddress: string;
  readonly observer?: AnswerObserver | undefined;
}

export type ForwardError = Extract<
  ErrorCode,
  'upstream-unreachable' | 'upstream-broken' | 'upstream-timeout' | 'shutting-down' | 'request-malformed'
>;

/**
 * How a job ended. "Sent" begins with the first byte of the request's head: from there on the upstream may have acted.
 * Only on `not-sent` and `broken` nothing has been written to the client, and the caller owes the answer.
 */
export type Outcome =
  /** No byte of the request reached the upstream. */
  | { readonly kind: 'not-sent'; readonly error: ForwardError; readonly cause: Error }
  /** The upstream's status is known. `complete`: its whole body was passed on. */
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly complete: boolean;
      readonly clientGone: boolean;
    }
  /** Sent, and the upstream reset or fell silent without a status. */
  | { readonly kind: 'broken'; readonly error: ForwardError; readonly cause: Error }
  /** Sent, and the client left before a status came. */
  | { readonly kind: 'client-gone' }
  | { readonly kind: 'client-gone-unsent' };
