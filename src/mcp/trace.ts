/** The trace that a request is part of (W3C Trace Context, SEP-414): read from `_meta` or from headers, and passed on to outside calls. */

/** The trace context of a request. */
export interface Trace {
  /** 32 hex digits, which join logs and traces. */
  readonly traceId: string;
  /** As it came, which is how outside calls get it: this server adds no span of its own. */
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
  readonly baggage?: string | undefined;
}

/** Version, trace id, span id, flags. Later versions may append fields; an id of zeros alone is invalid. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]*)?$/;

/** Longer ones are left out (W3C Trace Context, 3.3.1.5; W3C Baggage, 3.3.2). Characters. */
const MAX_CHARS = { traceparent: 128, tracestate: 512, baggage: 8_192 } as const;

/** The fields of a trace context, in `_meta` or in headers. */
type TraceFields = Readonly<Record<string, unknown>>;

/** Reads the trace of a request. `_meta` counts before the header, which a proxy may have set. Undefined if neither is valid. */
export function readTrace(meta: unknown, headers: TraceFields = {}): Trace | undefined {
  if (typeof meta === 'object' && meta !== null && 'traceparent' in meta)
    return readFields({ ...meta }) ?? readFields(headers);
  return headers['traceparent'] === undefined ? undefined : readFields(headers);
}

/** Reads a trace from its fields; undefined if `traceparent` is not valid. */
function readFields(fields: TraceFields): Trace | undefined {
  const traceparent = textOf(fields, 'traceparent');
  const traceId = traceparent === undefined ? undefined : TRACEPARENT.exec(traceparent)?.[1];
  if (traceparent === undefined || traceId === undefined) return undefined;
  const [tracestate, baggage] = [textOf(fields, 'tracestate'), textOf(fields, 'baggage')];
  return {
    traceId,
    traceparent,
    ...(tracestate !== undefined && { tracestate }),
    ...(baggage !== undefined && { baggage }),
  };
}

/** Returns a field that a header could hold; undefined for anything else, and for a longer one. */
function textOf(fields: TraceFields, name: keyof typeof MAX_CHARS): string | undefined {
  const value = fields[name];
  const isText = typeof value === 'string' && value.length <= MAX_CHARS[name] && /^[\x20-\x7e]+$/.test(value);
  return isText ? value : undefined;
}

/** The headers that continue a trace in an outside call; none without a trace. */
export function traceHeadersOf(trace: Trace | undefined): Readonly<Record<string, string>> {
  if (trace === undefined) return {};
  const { traceparent, tracestate, baggage } = trace;
  return {
    traceparent,
    ...(tracestate !== undefined && { tracestate }),
    ...(baggage !== undefined && { baggage }),
  };
}
