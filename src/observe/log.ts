/** The log: JSON lines without secrets. What an error carries beside its message stays out of it. */
import { type DestinationStream, type Logger, pino } from 'pino';

/** Deeper causes than this are a circle. */
const CAUSES_MAX = 5;

export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = { level, serializers: { err: (error: unknown) => errorFields(error) } };
  return destination === undefined ? pino(options) : pino(options, destination);
}

interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
  readonly cause?: ErrorFields;
}

/**
 * Libraries hang whole requests and commands on their errors: an `AUTH` that Redis refused carries its password.
 * pino's own serializer would write all of it.
 */
export function errorFields(error: unknown, depth = 1): ErrorFields {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { name: type, message, stack, cause } = error;
  return {
    type,
    message,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth === CAUSES_MAX ? {} : { cause: errorFields(cause, depth + 1) }),
  };
}
