/** Tests of the smoke test's command line and of how it shows a run. */
import { describe, expect, test } from '@jest/globals';
import { parseOptions } from '../../scripts/smoke/options.ts';
import { judgeCertificate } from '../../scripts/smoke/reachability.ts';
import { createLineReport, createRedactor } from '../../scripts/smoke/report.ts';
import { createSteps } from '../../scripts/smoke/steps.ts';
import { CheckFailure, NotApplicable } from '../../scripts/smoke/outcome.ts';

describe('the command line', () => {
  test('takes the URL and the tokens from the environment when they are not given', () => {
    const environment = { SMOKE_URL: 'https://my-app.example', SMOKE_TOKEN: 'tok_a', SMOKE_TOKEN2: 'tok_b' };

    const fromEnvironment = parseOptions([], environment);
    const fromArguments = parseOptions(['https://other.example', '--token', 'tok_c'], environment);

    expect(fromEnvironment).toMatchObject({ token: 'tok_a', token2: 'tok_b', heartbeatMs: 15_000 });
    expect(fromEnvironment?.url.href).toBe('https://my-app.example/');
    expect(fromArguments).toMatchObject({ token: 'tok_c' });
    expect(fromArguments?.url.host).toBe('other.example');
  });

  test.each(['https://my-app.example/mcp', 'https://my-app.example/sse', 'https://my-app.example/'])(
    'takes the origin of %s',
    (address) => {
      expect(parseOptions([address], {})?.url.href).toBe('https://my-app.example/');
    },
  );

  test.each([
    [[]],
    [['my-app.example']],
    [['ftp://my-app.example']],
    [['https://my-app.example/other']],
    [['https://my-app.example/?token=tok_secret']],
    [['https://user:tok_secret@my-app.example']],
    [['https://my-app.example', 'https://other.example']],
    [['https://my-app.example', '--tokn', 'tok_secret']],
    [['https://my-app.example', '--token', 'tok_secret with a blank']],
    [['https://my-app.example', '--idle', 'tok_secret']],
    [['https://my-app.example', '--idle', '0']],
    [['http://my-app.example', '--token', 'tok_secret']],
  ])('refuses %j without quoting it', (args) => {
    expect(() => parseOptions(args, {})).toThrow(expect.objectContaining({ name: 'UsageError' }));
    expect(() => parseOptions(args, {})).toThrow(/^(?!.*tok_secret)/);
  });

  test('sends a token over plain HTTP to another machine only when it is told to', () => {
    const args = ['http://192.0.2.1:8000', '--token', 'tok_a', '--allow-http'];

    expect(parseOptions(args, {})).toMatchObject({ allowHttp: true, token: 'tok_a' });
  });
});

describe('the report', () => {
  test('is plain lines without a terminal, and hides tokens', async () => {
    const shown = await show(false);

    expect(shown.replaceAll(/\d+ ms/g, '0 ms')).toBe(
      [
        '✓ First (0 ms): seen',
        '✗ Second (0 ms)',
        '    It said <token>.',
        '    → Mend it.',
        '– Third: not here',
        '',
        'FAILED: https://my-app.example – 1 passed, 1 failed, 1 skipped',
        '',
      ].join('\n'),
    );
  });

  test('has colours on a terminal', async () => {
    expect(await show(true)).toContain('\u001B[32m✓\u001B[0m First');
  });
});

describe('a certificate', () => {
  const now = Date.parse('2026-06-01T00:00:00Z');

  test('is good while it need not be renewed', () => {
    expect(judgeCertificate('Jul 1 00:00:00 2026 GMT', now)).toBe('certificate valid for 30 days');
  });

  test('is a failure when it should have been renewed', () => {
    expect(() => judgeCertificate('Jun 4 00:00:00 2026 GMT', now)).toThrow('ends in 3 days');
  });
});

/** Runs one step of each kind and returns what is shown. */
async function show(isTerminal: boolean): Promise<string> {
  let shown = '';
  const output = { write: (text: string) => void (shown += text), isTerminal };
  const report = createLineReport(output, createRedactor(['tok_a', undefined]));
  const steps = createSteps(report);
  await steps.run('one', 'First', async () => ({ detail: 'seen' }));
  await steps.run('two', 'Second', async () => {
    throw new CheckFailure('It said tok_a.', 'Mend it.');
  });
  await steps.run('three', 'Third', async () => {
    throw new NotApplicable('not here');
  });
  report.finish({ url: 'https://my-app.example', exitCode: 1, results: steps.results });
  return shown;
}
