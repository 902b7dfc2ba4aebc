/** Traces as clients tell of them: what is read, what is not, and what goes on to outside calls. */
import { describe, expect, test } from '@jest/globals';
import { readTrace, traceHeadersOf } from '../../src/mcp/trace.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

describe('a trace', () => {
  test('is read from _meta with what belongs to it, and handed on as it came', () => {
    const meta = { traceparent: PARENT, tracestate: 'a=1', baggage: 'user=x', progressToken: 7 };

    const trace = readTrace(meta);

    expect(trace?.traceId).toBe(TRACE_ID);
    expect(traceHeadersOf(trace)).toEqual({ traceparent: PARENT, tracestate: 'a=1', baggage: 'user=x' });
    expect(traceHeadersOf(undefined)).toEqual({});
  });

  test('of _meta counts before that of the headers, which counts where _meta has none or a wrong one', () => {
    const headers = { traceparent: PARENT.replace('4bf9', 'aaaa') };

    const ids = [{ traceparent: PARENT }, { traceparent: 'wrong' }, {}, undefined].map((meta) =>
      readTrace(meta, headers)?.traceId.slice(0, 4),
    );

    expect(ids).toEqual(['4bf9', 'aaaa', 'aaaa', 'aaaa']);
  });

  test.each([
    ['no text', 7],
    ['no span', `00-${TRACE_ID}`],
    ['capital letters', PARENT.toUpperCase()],
    ['a trace of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['a span of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
    ['the version that there is not', PARENT.replace(/^00/, 'ff')],
    ['line breaks', `${PARENT}\r\nX: 1`],
    ['too much', `${PARENT}-${'x'.repeat(100)}`],
  ])('with %s is none', (_what, traceparent) => {
    expect(readTrace({ traceparent })).toBeUndefined();
  });

  test('keeps of its state and its baggage what a header may hold', () => {
    const trace = readTrace({ traceparent: PARENT, tracestate: 'x'.repeat(513), baggage: 'a\nb' });

    expect(traceHeadersOf(trace)).toEqual({ traceparent: PARENT });
  });
});
