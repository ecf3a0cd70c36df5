/** Who observes requests: metrics and the log, and traces where the environment asks for them. */
import type { Logger } from 'pino';
import type { Metrics } from '../observe/metrics.js';
import { RequestTelemetry } from '../observe/pipeline-observer.js';
import { RequestLog } from '../observe/request-log.js';
import type { Tracing } from '../observe/tracing/index.js';
import { type TraceEnvironment, tracesWanted } from '../observe/tracing/wanted.js';
import { UnknownGroups } from '../observe/unknown-groups.js';

/** Undefined where traces are off: nothing of OpenTelemetry is loaded. */
export async function startTracingIn(
  environment: TraceEnvironment,
  logger: Logger,
): Promise<Tracing | undefined> {
  if (!tracesWanted(environment)) return undefined;
  const { startTracing } = await import('../observe/tracing/index.js');
  return startTracing(logger);
}

export function buildTelemetry(
  metrics: Metrics,
  logger: Logger,
  tracing: Tracing | undefined,
): RequestTelemetry {
  const log = new RequestLog(logger, () => metrics.process.leftOut());
  const unknownGroups = new UnknownGroups(metrics.unknownGroups, logger);
  return tracing?.telemetry(metrics, log, unknownGroups) ?? new RequestTelemetry(metrics, log, unknownGroups);
}
