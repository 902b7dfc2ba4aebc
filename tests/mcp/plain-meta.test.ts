/** Which `_meta` is plain: a single fault in any field leaves the message to the SDK. */
import { describe, expect, test } from '@jest/globals';
import { isSessionMeta, isStatelessMeta } from '../../src/mcp/plain-meta.ts';

const KEY = 'io.modelcontextprotocol/';

/** An envelope with everything that a plain one may have. */
const FULL = {
  [`${KEY}protocolVersion`]: '2026-07-28',
  [`${KEY}clientInfo`]: {
    name: 'test',
    version: '1',
    title: 'T',
    description: 'D',
    websiteUrl: 'https://example.com',
  },
  [`${KEY}clientCapabilities`]: {
    elicitation: { form: { applyDefaults: true }, url: {} },
    sampling: { context: {}, tools: {} },
    roots: { listChanged: true },
    experimental: { a: {} },
    extensions: { b: {} },
  },
  [`${KEY}logLevel`]: 'info',
  progressToken: 1,
  traceparent: 'x',
};

/** The smallest envelope. */
const LEAST = { [`${KEY}protocolVersion`]: '2026-07-28', [`${KEY}clientCapabilities`]: {} };

const info = (change: object): object => ({
  [`${KEY}clientInfo`]: { ...FULL[`${KEY}clientInfo`], ...change },
});
const can = (change: object): object => ({
  [`${KEY}clientCapabilities`]: { ...FULL[`${KEY}clientCapabilities`], ...change },
});

describe('an envelope of the stateless revision', () => {
  test.each([
    ['everything', FULL],
    ['only what is required', LEAST],
    ['a string as progress token', { ...FULL, progressToken: 'a' }],
    [
      'a client with only a name and a version',
      { ...FULL, [`${KEY}clientInfo`]: { name: 'a', version: '' } },
    ],
    ['unknown capabilities', { ...LEAST, ...can({ later: 1 }) }],
    ['no form elicitation', { ...LEAST, [`${KEY}clientCapabilities`]: { elicitation: { url: {} } } }],
    [
      'form elicitation without applyDefaults',
      { ...LEAST, [`${KEY}clientCapabilities`]: { elicitation: { form: {} }, sampling: {}, roots: {} } },
    ],
  ])('is plain with %s', (_what, meta) => {
    expect(isStatelessMeta(meta)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a string', 'x'],
    ['an array', [FULL]],
    ['another revision', { [`${KEY}protocolVersion`]: '2025-11-25' }],
    ['a reserved name that the envelope does not have', { [`${KEY}else`]: 1 }],
    ['a fraction as progress token', { progressToken: 1.5 }],
    ['null as progress token', { progressToken: null }],
    ['a client that is no object', { [`${KEY}clientInfo`]: 'x' }],
    ['a client that is null', { [`${KEY}clientInfo`]: null }],
    ['a client without a name', info({ name: undefined })],
    ['a client without a version', info({ version: 1 })],
    ['a title that is no string', info({ title: 1 })],
    ['a description that is no string', info({ description: 1 })],
    ['a website that is no string', info({ websiteUrl: 1 })],
    ['icons', info({ icons: [] })],
    ['no capabilities', { [`${KEY}clientCapabilities`]: undefined }],
    ['capabilities in an array', { [`${KEY}clientCapabilities`]: [] }],
    ['an elicitation that is no object', can({ elicitation: true })],
    ['a form that is no object', can({ elicitation: { form: true } })],
    ['applyDefaults that is no boolean', can({ elicitation: { form: { applyDefaults: 1 } } })],
    ['an url that is no object', can({ elicitation: { url: true } })],
    ['a sampling that is no object', can({ sampling: true })],
    ['a context that is no object', can({ sampling: { context: true } })],
    ['tools that are no object', can({ sampling: { tools: true } })],
    ['roots that are no object', can({ roots: true })],
    ['listChanged that is no boolean', can({ roots: { listChanged: 1 } })],
    ['experiments that are no object', can({ experimental: true })],
    ['an experiment that is no object', can({ experimental: { a: 1 } })],
    ['an extension that is no object', can({ extensions: { a: 1 } })],
    ['an unknown log level', { [`${KEY}logLevel`]: 'loud' }],
    ['a log level that is no string', { [`${KEY}logLevel`]: 1 }],
  ])('is not plain with %s', (_what, change) => {
    const meta = typeof change === 'object' && !Array.isArray(change) ? { ...FULL, ...change } : change;
    expect(isStatelessMeta(meta)).toBe(false);
  });
});

test.each<[unknown, boolean]>([
  [undefined, true],
  [{}, true],
  [{ progressToken: 'a', traceparent: 'x' }, true],
  [{ progressToken: {} }, false],
  [{ [`${KEY}relatedTask`]: {} }, false],
  [null, false],
  [[], false],
])('the _meta of a message in a session is plain or not: %j is %s', (meta, isPlain) => {
  expect(isSessionMeta(meta)).toBe(isPlain);
});
