/** One API: how its requests are read, and how its answers and errors are formatted. */
import type { Answer, Ask } from './answer.js';
import type { JsonObject } from './json.js';

export interface StreamEvent {
  /** A string is sent unchanged, anything else as JSON. */
  readonly data: unknown;
  /** The event's name, in APIs that name them. */
  readonly name?: string;
  /** Output tokens that it carries. */
  readonly tokens?: number;
}

/** How events are encoded as bytes. */
export interface Framing {
  readonly contentType: string;
  /** `index`: how many events came before. */
  event(event: StreamEvent, index: number): string | Buffer;
  readonly comment: string;
  readonly close: string;
}

/** The request's path without the query, and the query. */
export interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface Shape {
  /** As in a route's `llm: { api: … }`. */
  readonly api: string;
  /** Throws a Refusal for requests that the API would refuse. */
  read(body: JsonObject, target: Target): Ask;
  json(answer: Answer, ask: Ask): unknown;
  events(answer: Answer, ask: Ask): Iterable<StreamEvent>;
  framing(target: Target, crlf: boolean): Framing;
  error(status: number, message: string): unknown;
  /** An error within an answer whose status is 200. */
  errorEvents(answer: Answer, message: string): readonly StreamEvent[];
}

/** An error response. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function serverSentEvents(crlf: boolean): Framing {
  const end = crlf ? '\r\n' : '\n';
  return {
    contentType: 'text/event-stream; charset=utf-8',
    event({ data, name }) {
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      return `${name === undefined ? '' : `event: ${name}${end}`}data: ${text}${end}${end}`;
    },
    comment: `: the sample is thinking${end}${end}`,
    close: '',
  };
}

/** Gemini's other way of streaming: one JSON array, element by element. */
export const jsonArray: Framing = {
  contentType: 'application/json; charset=UTF-8',
  event: ({ data }, index) => (index === 0 ? '[' : ',\r\n') + JSON.stringify(data),
  comment: '\n',
  close: ']\n',
};
