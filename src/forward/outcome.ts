/** The forwarder's input and the outcome it reports. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../errors/catalogue.js';
import type { AnswerObserver } from '../meter/reader.js';

/** A job in progress. */
export interface ForwardHandle {
  /** Ends the client's response with these bytes, and the upstream's at once. Does nothing if the job has ended. */
  cut(last: Buffer): void;
}

export interface ForwardJob {
  readonly method: string;
  /** Canonical, including the query. */
  readonly path: string;
  /** The client's own headers, flat, as received. */
  readonly rawHeaders: readonly string[];
  /** Its stream is the body, unless `body` has it already. */
  readonly request: IncomingMessage;
  readonly body: Buffer | undefined;
  readonly response: ServerResponse;
  /** Flat; replaces the client's headers with these names. */
  readonly setFields?: readonly string[] | undefined;
  /** Flat; added to the client's response, and replaces the upstream's. */
  readonly extraHeaders: readonly string[];
  /** Lower-case names of request headers that are never sent upstream. */
  readonly stripHeaders: ReadonlySet<string>;
  readonly clientAddress: string;
  readonly observer?: AnswerObserver | undefined;
}

export type ForwardError = Extract<
  ErrorCode,
  'upstream-unreachable' | 'upstream-broken' | 'upstream-timeout' | 'shutting-down' | 'request-malformed'
>;

/**
 * How a job ended. "Sent" starts with the first byte of the request's head: from then on the upstream may have acted.
 * Only on `not-sent` and `broken` nothing has been written to the client, and the caller must write the response.
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
  /** Sent, and the upstream reset the connection or timed out without a status. */
  | { readonly kind: 'broken'; readonly error: ForwardError; readonly cause: Error }
  /** Sent, and the client disconnected before a status arrived. */
  | { readonly kind: 'client-gone' }
  | { readonly kind: 'client-gone-unsent' };
