/** The trace context of clients: what is read, what is not, and what is passed on to outside calls. */
import { describe, expect, test } from '@jest/globals';
import { readTrace, traceHeadersOf } from '../../src/mcp/trace.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

describe('a trace', () => {
  test('is read from _meta with its tracestate and baggage, and passed on unchanged', () => {
    const meta = { traceparent: PARENT, tracestate: 'a=1', baggage: 'user=x', progressToken: 7 };

    const trace = readTrace(meta);

    expect(trace?.traceId).toBe(TRACE_ID);
    expect(traceHeadersOf(trace)).toEqual({ traceparent: PARENT, tracestate: 'a=1', baggage: 'user=x' });
    expect(traceHeadersOf(undefined)).toEqual({});
  });

  test('in _meta takes precedence over headers, which count when _meta has none or a malformed one', () => {
    const headers = { traceparent: PARENT.replace('4bf9', 'aaaa') };

    const ids = [{ traceparent: PARENT }, { traceparent: 'wrong' }, {}, undefined].map((meta) =>
      readTrace(meta, headers)?.traceId.slice(0, 4),
    );

    expect(ids).toEqual(['4bf9', 'aaaa', 'aaaa', 'aaaa']);
  });

  test.each([
    ['a number', 7],
    ['no span', `00-${TRACE_ID}`],
    ['upper case', PARENT.toUpperCase()],
    ['a trace of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['a span of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
    ['the forbidden version', PARENT.replace(/^00/, 'ff')],
    ['line breaks', `${PARENT}\r\nX: 1`],
    ['too much', `${PARENT}-${'x'.repeat(100)}`],
  ])('with %s is ignored', (_what, traceparent) => {
    expect(readTrace({ traceparent })).toBeUndefined();
  });

  test('drops a tracestate or a baggage that no header may carry', () => {
    const trace = readTrace({ traceparent: PARENT, tracestate: 'x'.repeat(513), baggage: 'a\nb' });

    expect(traceHeadersOf(trace)).toEqual({ traceparent: PARENT });
  });
});
