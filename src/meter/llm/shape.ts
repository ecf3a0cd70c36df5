/** Describes one AI API. To add an API, write a Shape and a row in shapes/index.ts. */
import type { Problem } from '../../errors/catalogue.js';
import type { StreamFrames } from '../frames.js';
import type { CompiledLayout } from './request.js';
import type { Json } from './usage.js';
import type { UsageAccumulator } from './usage-accumulator.js';

export const NOT_PLAIN = -1;

/** `read` gets each event, `unread` the size of what cannot be read, `cutOff` the size of a truncated last event. */
export type OpenFrames = (
  read: (document: Json) => void,
  unread: (bytes: number) => void,
  cutOff: (bytes: number) => void,
) => StreamFrames;

/** Returns a header of the answer in lower case; '' if absent. */
export type HeadField = (name: string) => string;

export interface Shape {
  /** Absent: requests are JSON. */
  readonly bodies?: 'form' | 'either';
  readonly request: CompiledLayout;
  /** Starts reading an answer. The returned function gets each event of a stream, or the one JSON body. */
  readonly open: (accumulator: UsageAccumulator) => (document: Json) => void;
  /**
   * Reads plain text events of a stream without parsing them. Returns where `,"usage":null` begins, or 0 if it is
   * absent. NOT_PLAIN: the event must go to `open`.
   */
  readonly openFastReader?: (accumulator: UsageAccumulator) => (data: Buffer) => number;
  /** The members that `open` needs from a JSON body that is too large to parse as a whole. */
  readonly answerMembers: readonly string[];
  /** Absent: the limit for all answers. */
  readonly documentBytesMax?: number;
  /** The kind of all tokens of a side, if the answer reports no kinds. */
  readonly inputKind?: 'audioInput';
  readonly outputKind?: 'audioOutput' | 'imageOutput';
  /** A stream that is not SSE is one JSON array. */
  readonly streamsArrays: boolean;
  /** Reads the cost that the headers of an answer report. */
  readonly readHead?: (accumulator: UsageAccumulator, field: HeadField) => void;
  /** Opens streams that are neither SSE nor an array. */
  readonly openFrames?: OpenFrames;
  /** Returns an error body in the API's format. */
  readonly error: (problem: Problem, status: number) => Json;
  /** Returns the bytes that end a stream so that the API's clients raise their own error. */
  readonly closing: (problem: Problem, accumulator: UsageAccumulator) => string | Buffer;
}

/**
 * Returns the shape for a path: an API has one shape, or one per kind of path. `query` starts with `?` or is ''. Throws
 * ProblemError for a request that the API would handle differently from how it is priced.
 */
export type ShapeOf = (path: string, query: string, rawHeaders: readonly string[]) => Shape;

/** Normalizes a path like servers that ignore case and a trailing slash. */
export function plainPath(path: string): string {
  return (path.endsWith('/') ? path.slice(0, -1) : path).toLowerCase();
}
