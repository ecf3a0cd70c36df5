/**
 * Traces by OpenTelemetry, sent as OTLP over HTTP. The standard environment variables switch them on and configure them:
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables. Loaded only where they are on.
 */

import type { IncomingMessage } from 'node:http';
import { DiagLogLevel, diag } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';
import { VERSION } from '../build.js';
import type { Metrics } from '../metrics.js';
import { RequestTelemetry } from '../pipeline-observer.js';
import type { RequestLog } from '../request-log.js';
import type { UnknownGroups } from '../unknown-groups.js';
import { TracedRequest } from './traced-request.js';

/** Time for the last spans at a stop. */
const FLUSH_MS = 2_000;

export interface Tracing {
  telemetry(metrics: Metrics, log: RequestLog, unknownGroups: UnknownGroups): RequestTelemetry;
  /** Sends the last spans. Never rejects. */
  close(): Promise<void>;
}

export function startTracing(logger: Logger): Tracing {
  const report = (message: string): void =>
    logger.warn({ event: 'traces_failed', reason: message }, 'Traces could not be sent.');
  const nothing = (): void => undefined;
  const logs = { error: report, warn: report, info: nothing, debug: nothing, verbose: nothing };
  diag.setLogger(logs, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const named = resourceFromAttributes({ 'service.name': 'quotagate', 'service.version': VERSION });
  const provider = new BasicTracerProvider({
    // What the environment says about the service takes precedence.
    resource: defaultResource()
      .merge(named)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('quotagate', VERSION);
  class TracedTelemetry extends RequestTelemetry {
    override enter(request: IncomingMessage): TracedRequest {
      return new TracedRequest(request, this, tracer);
    }
  }
  return {
    telemetry: (...observers) => new TracedTelemetry(...observers),
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FLUSH_MS).unref();
      });
      await Promise.race([provider.shutdown().catch((error: Error) => report(error.message)), late]);
      clearTimeout(timer);
      diag.disable();
    },
  };
}
