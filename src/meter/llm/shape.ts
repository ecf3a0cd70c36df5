/** What an API looks like from outside: the one thing to write for a new one, with its row in shapes/index.ts. */
import type { Problem } from '../../errors/catalogue.js';
import type { StreamFrames } from '../frames.js';
import type { CompiledForm } from './request.js';
import type { Json } from './usage.js';
import type { UsageAccumulator } from './usage-accumulator.js';

export const NOT_SKIMMED = -1;

/** `read` takes each event; `unread` the bytes of what cannot be read, `cutOff` those of what the end has cut. */
export type OpenFrames = (
  read: (document: Json) => void,
  unread: (bytes: number) => void,
  cutOff: (bytes: number) => void,
) => StreamFrames;

/** A field of an answer's head, in lower case; '' where it is not there. */
export type HeadField = (name: string) => string;

export interface Shape {
  /** Left out: requests are JSON. */
  readonly bodies?: 'form' | 'either';
  readonly request: CompiledForm;
  /** Reads one answer: the returned function takes each event of a stream, or the one JSON body. */
  readonly open: (seen: UsageAccumulator) => (document: Json) => void;
  /**
   * Reads the plainest events of a stream without parsing them. Tells where its `,"usage":null` begins, 0 where there is none;
   * NOT_SKIMMED: the event is for `open`.
   */
  readonly openSkim?: (seen: UsageAccumulator) => (data: Buffer) => number;
  /** The members that `open` needs of a JSON body too large to be parsed in whole. */
  readonly answerMembers: readonly string[];
  /** Left out: the bound of all answers. */
  readonly documentBytesMax?: number;
  /** What all tokens of a side are where the answer does not tell of kinds. */
  readonly inputKind?: 'audioInput';
  readonly outputKind?: 'audioOutput' | 'imageOutput';
  /** A stream that is not SSE comes as one JSON array. */
  readonly streamsArrays: boolean;
  /** Reads what the head of an answer tells of its cost. */
  readonly readHead?: (seen: UsageAccumulator, field: HeadField) => void;
  /** How a stream comes that is neither SSE nor an array. */
  readonly openFrames?: OpenFrames;
  /** The API's own error body. */
  readonly error: (problem: Problem, status: number) => Json;
  /** How a stream ends so that the API's clients raise their own error. */
  readonly closing: (problem: Problem, seen: UsageAccumulator) => string | Buffer;
}

/**
 * An API can have one shape, or one for each kind of path. `query` begins with ? or is ''. Throws ProblemError for what the API
 * would do otherwise than it is priced.
 */
export type ShapeOf = (path: string, query: string, rawHeaders: readonly string[]) => Shape;

/** The path as servers take it that care neither for case nor for a slash at the end. */
export function plainPath(path: string): string {
  return (path.endsWith('/') ? path.slice(0, -1) : path).toLowerCase();
}
