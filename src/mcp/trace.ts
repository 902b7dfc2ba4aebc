/** The trace that a request is part of (W3C Trace Context, SEP-414): read from `_meta` or a header, handed on to outside calls. */

/** What a client says of its trace. */
export interface Trace {
  /** 32 hex digits: what logs and traces are joined by. */
  readonly traceId: string;
  /** As it came, and as outside calls get it: this server adds no span of its own. */
  readonly traceparent: string;
  readonly tracestate?: string | undefined;
  readonly baggage?: string | undefined;
}

/** Version, trace, span, flags. Later versions may say more behind them; ids of zeros alone are none. */
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]*)?$/;

/** Longer ones are left out (W3C Trace Context, 3.3.1.5; W3C Baggage, 3.3.2). Characters. */
const MAX_CHARS = { traceparent: 128, tracestate: 512, baggage: 8_192 } as const;

/** The fields that make up a trace, in `_meta` or among headers; in that order. */
type TraceFields = Readonly<Record<string, unknown>>;

/** The trace of a request: what `_meta` says counts before the header, which a proxy may have made. Undefined where neither is right. */
export function readTrace(meta: unknown, headers: TraceFields = {}): Trace | undefined {
  if (typeof meta === 'object' && meta !== null && 'traceparent' in meta)
    return readFields({ ...meta }) ?? readFields(headers);
  return headers['traceparent'] === undefined ? undefined : readFields(headers);
}

/** The trace that fields tell of. */
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

/** A field that a header could hold. */
function textOf(fields: TraceFields, name: keyof typeof MAX_CHARS): string | undefined {
  const value = fields[name];
  const isText = typeof value === 'string' && value.length <= MAX_CHARS[name] && /^[\x20-\x7e]+$/.test(value);
  return isText ? value : undefined;
}

/** The headers by which an outside call goes on with a trace; none where there is no trace. */
export function traceHeadersOf(trace: Trace | undefined): Readonly<Record<string, string>> {
  if (trace === undefined) return {};
  const { traceparent, tracestate, baggage } = trace;
  return {
    traceparent,
    ...(tracestate !== undefined && { tracestate }),
    ...(baggage !== undefined && { baggage }),
  };
}
