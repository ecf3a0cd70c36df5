/** The log: JSON lines without secrets. Properties of an error other than its message are not logged. */
import { type DestinationStream, type Logger, pino } from 'pino';

/** More causes than this are a cycle. */
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
 * Libraries attach whole requests and commands to their errors: an `AUTH` that Redis refused contains its password.
 * pino's own serializer would log all of it.
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
