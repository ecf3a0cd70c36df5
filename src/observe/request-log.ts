/**
 * Logs one line per request: `debug` for forwarded requests, `info` for those that the gateway refused, `warn` if the
 * gateway or the upstream failed. A line contains no path, query, header value or user: only the route's pattern, and
 * ids by which the caller, the upstream and the store identify the same request.
 */
import type { Logger } from 'pino';

export interface RequestLine {
  readonly requestId: string;
  readonly traceId?: string | undefined;
  readonly method: string;
  /** The route's `match`. */
  readonly route?: string | undefined;
  readonly action?: string | undefined;
  readonly org?: string | undefined;
  readonly decision?: string | undefined;
  readonly decisionId?: string | undefined;
  readonly decisionMs?: number | undefined;
  readonly quota?: string | undefined;
  readonly scope?: string | undefined;
  readonly upstream?: string | undefined;
  readonly outcome?: string | undefined;
  /** Code of the error in the response. */
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  readonly ms: number;
}

/** Refusals are logged at a limited rate, because a line costs as much as a refusal. */
const LINES_A_SECOND = 50;
const SECOND_MS = 1_000;

export class RequestLog {
  private left = LINES_A_SECOND;
  private leftOut = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly onLeftOut: () => void,
  ) {}

  /** Whether forwarded requests are logged: it follows the logger's level. */
  get tellsAll(): boolean {
    return this.logger.isLevelEnabled('debug');
  }

  forwarded(line: () => RequestLine): void {
    if (this.tellsAll)
      this.logger.debug({ event: 'request_forwarded', ...line() }, 'A request was forwarded.');
  }

  refused(status: number, line: () => RequestLine): void {
    const level = status >= 500 ? 'warn' : 'info';
    if (!this.logger.isLevelEnabled(level)) return;
    this.timer ??= setTimeout(() => this.nextSecond(), SECOND_MS).unref();
    if (this.left > 0 || this.tellsAll) {
      this.left -= 1;
      this.logger[level]({ event: 'request_refused', ...line() }, 'The gateway refused a request.');
    } else {
      this.leftOut += 1;
      this.onLeftOut();
    }
  }

  private nextSecond(): void {
    this.timer = undefined;
    this.left = LINES_A_SECOND;
    if (this.leftOut === 0) return;
    this.logger.warn(
      { event: 'log_lines_left_out', count: this.leftOut },
      'Too many requests were refused within a second; these have no log line.',
    );
    this.leftOut = 0;
  }
}
