/**
 * Spans of one request: the request itself, its decision, and the call of the upstream. Names follow OpenTelemetry's conventions for
 * HTTP. No attribute names a user, and none has the path or the query, which may contain data of the caller.
 */

import type { IncomingMessage } from 'node:http';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapSetter,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Charges } from '../../quota/charge.js';
import {
  type Decision,
  decisionIn,
  type Ended,
  ObservedRequest,
  outcomeOf,
  type RequestTelemetry,
  type RouteLabels,
} from '../pipeline-observer.js';

const propagator = new W3CTraceContextPropagator();

const FROM_HEADERS: TextMapGetter<IncomingMessage['headers']> = {
  get: (headers, name) => headers[name],
  keys: (headers) => Object.keys(headers),
};

const INTO_LIST: TextMapSetter<string[]> = {
  set: (fields, name, value) => void fields.push(name, value),
};

export class TracedRequest extends ObservedRequest {
  private readonly span: Span;
  private readonly context: Context;
  private readonly method: string;
  private decisionSpan: Span | undefined;
  private upstreamSpan: Span | undefined;

  constructor(
    request: IncomingMessage,
    telemetry: RequestTelemetry,
    private readonly tracer: Tracer,
  ) {
    super(request, telemetry);
    this.method = request.method ?? '';
    const parent = propagator.extract(ROOT_CONTEXT, request.headers, FROM_HEADERS);
    const attributes = { 'http.request.method': this.method, 'quotagate.request_id': this.id };
    this.span = tracer.startSpan(this.method, { kind: SpanKind.SERVER, attributes }, parent);
    this.context = trace.setSpan(parent, this.span);
  }

  override matched(route: RouteLabels): void {
    super.matched(route);
    this.span.updateName(route.route);
    this.span.setAttributes({ 'http.route': route.route, 'quotagate.action': route.action });
  }

  override reserving(org: string, charges: Charges, claims: string): void {
    super.reserving(org, charges, claims);
    const quotas = charges.items.map(({ quota }) => quota);
    this.span.setAttribute('quotagate.org', org);
    this.decisionSpan = this.child('quotagate.decision', SpanKind.INTERNAL, { 'quotagate.quotas': quotas });
  }

  override decided(decision: Decision, hold: string): void {
    super.decided(decision, hold);
    const said = decision.chargeLater === undefined ? decisionIn(decision.result) : 'open';
    this.decisionSpan?.setAttribute('quotagate.decision', said ?? '').end();
    this.decisionSpan = undefined;
  }

  /** The upstream continues the trace from the span of its call. */
  forwarding(): readonly string[] {
    const upstream = this.route?.upstream ?? '';
    const attributes = { 'http.request.method': this.method, 'quotagate.upstream': upstream };
    const span = this.child(`${this.method} ${upstream}`, SpanKind.CLIENT, attributes);
    const fields: string[] = [];
    propagator.inject(trace.setSpan(this.context, span), fields, INTO_LIST);
    this.upstreamSpan = span;
    return fields;
  }

  override forwarded(ended: Ended): void {
    super.forwarded(ended);
    const outcome = outcomeOf(ended);
    const failed = !/^([234]xx|client-gone)$/.test(outcome);
    end(this.upstreamSpan, { outcome, status: ended.status, failed });
    // In the other two cases the gateway responds itself.
    if (ended.kind !== 'not-sent' && ended.kind !== 'broken')
      end(this.span, { outcome, status: ended.status, failed });
  }

  override refused(code: string, status: number): void {
    super.refused(code, status);
    if (this.decisionSpan !== undefined) end(this.decisionSpan, { outcome: code, failed: true });
    end(this.span, { outcome: code, status, failed: status >= 500 });
  }

  protected override traceId(): string | undefined {
    return this.span.spanContext().traceId;
  }

  private child(name: string, kind: SpanKind, attributes: Attributes): Span {
    return this.tracer.startSpan(name, { kind, attributes }, this.context);
  }
}

interface SpanEnd {
  /** How the request ended, or the code of the error. */
  readonly outcome: string;
  readonly status?: number | undefined;
  readonly failed: boolean;
}

function end(span: Span | undefined, { outcome, status, failed }: SpanEnd): void {
  if (span === undefined) return;
  span.setAttribute('quotagate.outcome', outcome);
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (failed) span.setStatus({ code: SpanStatusCode.ERROR, message: outcome });
  span.end();
}
