/** Which `_meta` is plain: one fault of any field leaves the message to the SDK. */
import { describe, expect, test } from '@jest/globals';
import { isSessionMeta, isStatelessMeta } from '../../src/mcp/plain-meta.ts';

const KEY = 'io.modelcontextprotocol/';

/** An envelope with everything in it that a plain one may have. */
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

/** The least that an envelope has. */
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
    ['the least', LEAST],
    ['a text for the progress', { ...FULL, progressToken: 'a' }],
    ['a client that says little of itself', { ...FULL, [`${KEY}clientInfo`]: { name: 'a', version: '' } }],
    ['abilities of other kinds', { ...LEAST, ...can({ later: 1 }) }],
    ['no form to ask with', { ...LEAST, [`${KEY}clientCapabilities`]: { elicitation: { url: {} } } }],
    [
      'a form without defaults',
      { ...LEAST, [`${KEY}clientCapabilities`]: { elicitation: { form: {} }, sampling: {}, roots: {} } },
    ],
  ])('is plain with %s', (_what, meta) => {
    expect(isStatelessMeta(meta)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['nothing at all', undefined],
    ['no object', 'x'],
    ['a list', [FULL]],
    ['another revision', { [`${KEY}protocolVersion`]: '2025-11-25' }],
    ['a name of the protocol that is not of the envelope', { [`${KEY}else`]: 1 }],
    ['a fraction for the progress', { progressToken: 1.5 }],
    ['null for the progress', { progressToken: null }],
    ['a client that is no object', { [`${KEY}clientInfo`]: 'x' }],
    ['a client that is null', { [`${KEY}clientInfo`]: null }],
    ['a client without a name', info({ name: undefined })],
    ['a client without a version', info({ version: 1 })],
    ['a title that is no text', info({ title: 1 })],
    ['a description that is no text', info({ description: 1 })],
    ['a website that is no text', info({ websiteUrl: 1 })],
    ['icons', info({ icons: [] })],
    ['no abilities', { [`${KEY}clientCapabilities`]: undefined }],
    ['abilities in a list', { [`${KEY}clientCapabilities`]: [] }],
    ['an elicitation that is no object', can({ elicitation: true })],
    ['a form that is no object', can({ elicitation: { form: true } })],
    ['defaults that are no truth value', can({ elicitation: { form: { applyDefaults: 1 } } })],
    ['an url that is no object', can({ elicitation: { url: true } })],
    ['a sampling that is no object', can({ sampling: true })],
    ['a context that is no object', can({ sampling: { context: true } })],
    ['tools that are no object', can({ sampling: { tools: true } })],
    ['roots that are no object', can({ roots: true })],
    ['changes of roots that are no truth value', can({ roots: { listChanged: 1 } })],
    ['experiments that are no object', can({ experimental: true })],
    ['an experiment that is no object', can({ experimental: { a: 1 } })],
    ['an extension that is no object', can({ extensions: { a: 1 } })],
    ['a level that is none', { [`${KEY}logLevel`]: 'loud' }],
    ['a level that is no text', { [`${KEY}logLevel`]: 1 }],
  ])('is not with %s', (_what, change) => {
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
])('what a session says is plain: %j is %s', (meta, isPlain) => {
  expect(isSessionMeta(meta)).toBe(isPlain);
});
