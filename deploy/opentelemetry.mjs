/**
 * A span for each call, sent to OpenTelemetry's collector: `node --import ./deploy/opentelemetry.mjs dist/src/main.js`. Names and attributes
 * are those of the conventions for MCP; it needs the packages that it imports, installed with `npm install --save-prod`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe } from 'node:diagnostics_channel';
import { propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

/** The context that a call runs in. */
const contexts = new AsyncLocalStorage();

/** Finds it again: what a tool makes spans of is part of its call. */
const contextManager = {
  active: () => contexts.getStore() ?? ROOT_CONTEXT,
  with: (context, run, self, ...args) => contexts.run(context, () => run.apply(self, args)),
  bind: (context, target) =>
    typeof target === 'function' ? contexts.run(context, () => AsyncLocalStorage.bind(target)) : target,
  enable: () => contextManager,
  disable: () => contextManager,
};

// Where they go, how often, and under which name: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_BSP_SCHEDULE_DELAY, OTEL_SERVICE_NAME and the like.
const provider = new NodeTracerProvider({
  resource: detectResources({ detectors: [envDetector] }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register({ contextManager });
const tracer = trace.getTracer('mcp-server');

/** The span of each call that runs, by the call's event. */
const spans = new WeakMap();

// A call runs within its span, which goes on from the client's. With `trace` replaced, its lines in the log carry the span's trace, and
// `traceHeaders` makes outside calls parts of it.
channel('mcp:call:begin').bindStore(contexts, (event) => {
  const parent = propagation.extract(ROOT_CONTEXT, event.trace ?? {});
  const span = tracer.startSpan(
    nameOf(event),
    { kind: SpanKind.SERVER, attributes: attributesOf(event) },
    parent,
  );
  spans.set(event, span);
  const context = trace.setSpan(parent, span);
  const carrier = {};
  propagation.inject(context, carrier);
  event.trace = { traceId: span.spanContext().traceId, ...carrier };
  return context;
});

subscribe('mcp:call', (event) => {
  const span = spans.get(event);
  if (event.outcome !== 'ok' && event.outcome !== 'input_required') {
    span?.setAttribute('error.type', event.outcome);
    span?.setStatus({ code: SpanStatusCode.ERROR });
  }
  span?.end();
  if (isEnding) void provider.forceFlush();
});

// What is still collected when the server ends would be lost: from then on each span is sent at once.
let isEnding = false;
for (const signal of ['SIGTERM', 'SIGINT'])
  process.once(signal, () => {
    isEnding = true;
    void provider.forceFlush();
  });

/** The method, and the tool or prompt: of resources there may be any number. */
function nameOf({ method, kind, name }) {
  return kind === 'tool' || kind === 'prompt' ? `${method} ${name}` : method;
}

/** What is known of a call when it begins. */
function attributesOf({ method, kind, name, userId, transport, protocolVersion }) {
  return {
    'mcp.method.name': method,
    ...(kind === 'tool' && { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': name }),
    ...(kind === 'prompt' && { 'gen_ai.prompt.name': name }),
    ...(protocolVersion !== 'not negotiated' && { 'mcp.protocol.version': protocolVersion }),
    ...(transport === 'stdio'
      ? { 'network.transport': 'pipe' }
      : { 'network.transport': 'tcp', 'network.protocol.name': 'http' }),
    'user.id': userId,
  };
}
