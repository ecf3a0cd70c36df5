/** Whether the environment asks for traces. On its own, so that nothing of OpenTelemetry is loaded where it does not. */

export type TraceEnvironment = Readonly<Record<string, string | undefined>>;

export function tracesWanted(environment: TraceEnvironment): boolean {
  const { OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER } = environment;
  if (OTEL_SDK_DISABLED?.toLowerCase() === 'true' || OTEL_TRACES_EXPORTER === 'none') return false;
  const endpoint =
    environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT || '';
  return OTEL_TRACES_EXPORTER === 'otlp' || endpoint !== '';
}
