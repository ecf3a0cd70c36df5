/** One API: how its requests are read, and how answers and errors are written in it. */
import type { Answer, Ask } from './answer.js';
import type { JsonObject } from './json.js';

export interface StreamEvent {
  /** A text is sent as it is, anything else as JSON. */
  readonly data: unknown;
  /** The event's name, in APIs that name them. */
  readonly name?: string;
  /** Output tokens that it carries. */
  readonly tokens?: number;
}

/** How events become bytes. */
export interface Framing {
  readonly contentType: string;
  /** `index`: how many went before. */
  event(event: StreamEvent, index: number): string | Buffer;
  readonly comment: string;
  readonly close: string;
}

/** Where a request went: its path without query, and the query. */
export interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface Shape {
  /** As in a route's `llm: { api: … }`. */
  readonly api: string;
  /** Throws a Refusal for what the API would refuse. */
  read(body: JsonObject, target: Target): Ask;
  json(answer: Answer, ask: Ask): unknown;
  events(answer: Answer, ask: Ask): Iterable<StreamEvent>;
  framing(target: Target, crlf: boolean): Framing;
  error(status: number, message: string): unknown;
  /** Within an answer whose status is 200. */
  errorEvents(answer: Answer, message: string): readonly StreamEvent[];
}

/** An answer that is no success. */
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
