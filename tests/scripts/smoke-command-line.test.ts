/** Tests of the smoke test's command line and of how it shows a run. */
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseOptions } from '../../scripts/smoke/options.ts';
import { toJunit } from '../../scripts/smoke/junit.ts';
import { findMcpRemote } from '../../scripts/smoke/mcp-remote.ts';
import { judgeCertificate } from '../../scripts/smoke/reachability.ts';
import { createJsonReport, createLineReport, createRedactor } from '../../scripts/smoke/report.ts';
import { judge } from '../../scripts/smoke/run.ts';
import { countChecks, createSteps, type StepResult } from '../../scripts/smoke/steps.ts';
import { CheckFailure } from '../../scripts/smoke/outcome.ts';
import { createSandbox, ROOT } from '../support/process.ts';

const sandbox = createSandbox();
afterAll(async () => sandbox.close());

describe('the command line', () => {
  test('reads the URL and the tokens from the environment unless they are given', () => {
    const environment = { SMOKE_URL: 'https://my-app.example', SMOKE_TOKEN: 'tok_a', SMOKE_TOKEN2: 'tok_b' };

    const fromEnvironment = parseOptions([], environment);
    const fromArguments = parseOptions(['https://other.example', '--token', 'tok_c'], environment);

    expect(fromEnvironment).toMatchObject({ token: 'tok_a', token2: 'tok_b', heartbeatMs: 15_000 });
    expect(fromEnvironment?.url.href).toBe('https://my-app.example/');
    expect(fromArguments).toMatchObject({ token: 'tok_c' });
    expect(fromArguments?.url.host).toBe('other.example');
  });

  test.each(['/mcp', '/mcp/', '/sse', '/sse/', '/', '//', ''])(
    "takes a client's URL that ends in '%s'",
    (end) => {
      expect(parseOptions([`https://my-app.example${end}`], {})?.url.href).toBe('https://my-app.example/');
      expect(parseOptions([`https://my-app.example/app${end}`], {})?.url.href).toBe(
        'https://my-app.example/app/',
      );
    },
  );

  test.each([['0', true], ['1', false], ['', false]])('NODE_TLS_REJECT_UNAUTHORIZED=%s is noticed: %s', (value, noticed) => {
    const options = parseOptions(['https://my-app.example'], { NODE_TLS_REJECT_UNAUTHORIZED: value });

    expect(options?.takesAnyCertificate).toBe(noticed);
  }); // prettier-ignore

  test.each([
    [[]],
    [['my-app.example']],
    [['ftp://my-app.example']],
    [['https://my-app.example/#token=tok_secret']],
    [['https://my-app.example', '--max-body', 'tok_secret']],
    [['https://my-app.example', '--max-body', '1']],
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

  test.each([
    ['--foo', 'The smoke test has no option --foo.'],
    ['--token2', '--token2 needs a value.'],
    ['--json=yes', '--json takes no value.'],
  ])('names the option %s that is wrong', (option, words) => {
    expect(() => parseOptions(['https://my-app.example', option], {})).toThrow(words);
  });

  test('sends a token over plain HTTP to another machine only with --allow-http', () => {
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
        '? Fourth: it needs "Second"',
        '',
        'FAILED: https://my-app.example – 2 of 3 checks ran: 1 passed, 1 failed; 1 does not apply',
        '',
      ].join('\n'),
    );
  });

  test('hides a token in every encoding', () => {
    const redact = createRedactor(['Tok_A', 'Tok_A/b']);

    expect(redact('Tok_A/b, https://tok_a.example/?x=Tok_A%2Fb#Tok_A')).toBe(
      '<token>, https://<token>.example/?x=<token>#<token>',
    );
  });

  test('has colours on a terminal', async () => {
    expect(await show(true)).toContain('\u001B[32m✓\u001B[0m First');
  });
});

test('text of a server cannot control the terminal or imitate a line of the report', () => {
  const said = 'said \u001B]0;title\u0007\u001B[2J\u202E\n✓ Credential is accepted';
  const step = { ...result('tls', 'passed'), status: 'failed', detail: said, advice: said } as const;
  const summary = {
    url: 'https://x.example/\u001B[2J',
    exitCode: 1,
    checks: { ran: 1, expected: 1 },
    results: [step],
  };
  let lines = '';
  let json = '';

  const shown = createLineReport({ isTerminal: false, write: (text) => (lines += text) }, (text) => text);
  shown.end(step);
  shown.finish(summary);
  createJsonReport({ isTerminal: false, write: (text) => (json += text) }, (text) => text).finish(summary);

  expect(lines + json).not.toMatch(/[^\P{C}\n]/u);
  expect(lines).not.toMatch(/^✓/m);
  expect(JSON.parse(json)).toMatchObject({ steps: [{ detail: said }] });
});

describe('mcp-remote', () => {
  test('is found in the folder of the caller when the server is an installed package', async () => {
    const here = await realpath(await sandbox.folder());
    const installed = path.join(await sandbox.folder(), 'node_modules/my-server');
    const own = path.join(here, 'node_modules/mcp-remote');
    await mkdir(path.join(own, 'dist'), { recursive: true });
    await writeFile(path.join(own, 'dist/proxy.js'), '');

    expect(findMcpRemote([installed, here])).toBe(path.join(own, 'dist/proxy.js'));
    expect(findMcpRemote([ROOT, here])).toContain(ROOT);
  });

  test('that is missing is reported with a command that installs it there', async () => {
    const empty = await sandbox.folder();

    expect(() => findMcpRemote([path.join(empty, 'node_modules/my-server'), empty])).toThrow(
      expect.objectContaining({
        advice: 'Run "npm install mcp-remote" in this folder, and then this again.',
      }),
    );
    expect(() => findMcpRemote([empty, empty])).toThrow(
      expect.objectContaining({ advice: 'Run npm ci, without --omit=dev.' }),
    );
  });
});

describe('a certificate', () => {
  const now = Date.parse('2026-06-01T00:00:00Z');

  test.each([
    ['Apr 1 00:00:00 2026 GMT', 'Jul 1 00:00:00 2026 GMT', '30 days'],
    // Made for six days, and for twelve hours.
    ['May 30 00:00:00 2026 GMT', 'Jun 5 00:00:00 2026 GMT', '4 days'],
    ['May 31 20:00:00 2026 GMT', 'Jun 1 08:00:00 2026 GMT', '8 hours'],
  ])('from %s to %s passes while it need not be renewed', (from, to, left) => {
    expect(judgeCertificate({ from, to }, now)).toBe(`certificate valid for ${left}`);
  });

  test.each([
    ['Mar 6 00:00:00 2026 GMT', 'Jun 4 00:00:00 2026 GMT', '3 days'],
    ['May 27 00:00:00 2026 GMT', 'Jun 2 00:00:00 2026 GMT', '24 hours'],
    ['May 31 14:00:00 2026 GMT', 'Jun 1 02:00:00 2026 GMT', '2 hours'],
  ])('from %s to %s is a failure: it should have been renewed', (from, to, left) => {
    expect(() => judgeCertificate({ from, to }, now)).toThrow(`ends in ${left}`);
  });
});

/** The result of a step. */
function result(id: string, status: 'passed' | 'skipped' | 'blocked'): StepResult {
  return { id, title: id, status, detail: '', durationMs: 0 };
}

describe('the count of checks', () => {
  const passed = [result('one', 'passed'), result('two', 'passed')];

  test('is complete when each check of the plan ran or does not apply', () => {
    const results = [...passed, result('three', 'skipped'), result('four', 'passed')];

    expect(countChecks(ALL, results)).toEqual({ ran: 3, expected: 3 });
    expect(judge(results, countChecks(ALL, results))).toBe(0);
  });

  test.each([
    ['was blocked', [...passed, result('three', 'skipped'), result('four', 'blocked')], { ran: 2, expected: 3 }],
    ['is missing from the results', passed, { ran: 2, expected: 4 }],
    ['none of them ran', [], { ran: 0, expected: 4 }],
  ])('fails a run without any failure when a check %s', (_what, results, count) => {
    expect(countChecks(ALL, results)).toEqual(count);
    expect(judge(results, countChecks(ALL, results))).toBe(1);
  }); // prettier-ignore
});

const [FIRST, SECOND, THIRD, FOURTH] = [
  { id: 'one', title: 'First' },
  { id: 'two', title: 'Second' },
  { id: 'three', title: 'Third' },
  { id: 'four', title: 'Fourth' },
] as const;
const ALL = [FIRST, SECOND, THIRD, FOURTH];

/** Runs one step of each kind and returns what is shown. */
async function show(isTerminal: boolean): Promise<string> {
  let shown = '';
  const output = { write: (text: string) => void (shown += text), isTerminal };
  const report = createLineReport(output, createRedactor(['tok_a', undefined]));
  const steps = createSteps(report);
  await steps.run(FIRST, async () => ({ detail: 'seen' }));
  await steps.run(SECOND, async () => {
    throw new CheckFailure('It said tok_a.', 'Mend it.');
  });
  steps.pass(THIRD, 'skipped', 'not here');
  steps.pass(FOURTH, 'blocked', 'it needs "Second"');
  const checks = countChecks(ALL, steps.results);
  report.finish({ url: 'https://my-app.example', exitCode: 1, results: steps.results, checks });
  return shown;
}

test('the JUnit report has failures with advice, no secret, and no character that XML cannot contain', () => {
  const failed = {
    ...result('tls', 'passed'),
    status: 'failed',
    detail: 'a "<b>" \u0007 tok_secret',
    advice: 'Do & say',
  } as const;
  const summary = { url: 'https://x.example', exitCode: 1, checks: { ran: 2, expected: 3 }, results: [failed, result('a', 'passed'), result('b', 'skipped'), result('c', 'blocked')] }; // prettier-ignore

  const xml = toJunit(summary, (text) => text.replaceAll('tok_secret', '<token>'));

  expect(xml).toContain('tests="4" failures="1" errors="1" skipped="1"');
  expect(xml).toContain(
    '<failure message="a &#34;&#60;b&#62;&#34; \uFFFD &#60;token&#62;">Do &#38; say</failure>',
  );
  expect(xml).not.toContain('tok_secret');
  expect(xml.match(/<testcase/g)).toHaveLength(4);
});
