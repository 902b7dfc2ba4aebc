/** The fuzzer: it repeats itself by its seed, finds nothing in a healthy server, and finds each fault of a broken one. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Target } from '../../lab/fuzz/actor.ts';
import { runCase } from '../../lab/fuzz/cases.ts';
import { createLogWatch } from '../../lab/fuzz/log-watch.ts';
import { type RunOptions, runCases, showBytes, type Summary } from '../../lab/fuzz/runner.ts';
import { startServerChild } from '../../lab/fuzz/server-child.ts';
import { type FuzzTarget, startTarget, takeTarget } from '../../lab/fuzz/target.ts';
import { type Exchange, type Fault, startFaultyProxy } from '../support/faulty-proxy.ts';
import { testInCi } from '../support/in-ci.ts';
import { builtFile } from '../support/process.ts';
import { amountOf } from '../support/reduced.mjs';
import { ADA, BOB, startTestServer } from '../support/start-server.ts';

const SEED = 5;

/** How many cases a healthy server passes: where CI has the time, more of them. */
const CASES = 2_000;

/** In how many cases a fault must have been found. */
const CASES_OF_FAULT = 120;

let healthy: FuzzTarget;
beforeAll(async () => {
  healthy = await startTarget({ script: builtFile('lab/fixture/main.js') });
});
afterAll(async () => {
  await healthy.stop();
});

/** The numbers from 0 on. */
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Runs cases against the healthy server, or what stands in front of it. */
async function fuzz(count: number, options: Partial<RunOptions> = {}): Promise<Summary> {
  const { target, problem: serverProblem } = healthy;
  return runCases({ target, seed: SEED, cases: numbers(count), concurrency: 16, serverProblem, ...options });
}

describe('a healthy server', () => {
  testInCi(
    'passes cases of every kind, and its log holds nothing that must not be there',
    async () => {
      const { passed, failures, kinds, serverProblem } = await fuzz(CASES);

      expect(failures.map(({ caseNumber, problem }) => ({ caseNumber, problem }))).toEqual([]);
      expect(serverProblem).toBeUndefined();
      expect(passed).toBe(CASES);
      expect(kinds.size).toBe(14);
    },
    60_000,
  );
});

/** What cases send, without the ids that the server makes up. */
async function sentBy(seed: number, count: number): Promise<string[]> {
  const outcomes = [];
  for (const number of numbers(count)) outcomes.push(await runCase(healthy.target, seed, number));
  return outcomes.map(({ sent }) =>
    sent
      .map((bytes) =>
        bytes
          .toString('latin1')
          .replaceAll(
            /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mcp_\w\w_[\w-]+|eyJ[\w.-]+|[\w-]{60,}/gi,
            'id',
          )
          .replaceAll(/^content-length: \d+/gim, 'content-length'),
      )
      .toSorted()
      .join('\n'),
  );
}

describe('a case', () => {
  test('of the same seed sends the same bytes, of another seed others', async () => {
    const amount = amountOf('fuzzedSeeds');
    const first = await sentBy(SEED, amount);
    const again = await sentBy(SEED, amount);
    const other = await sentBy(SEED + 1, amount);

    expect(again).toEqual(first);
    expect(other.filter((text, index) => text === first[index])).toEqual([]);
  });

  test('is shown with every byte readable and no token', () => {
    const shown = showBytes([Buffer.from('GET /\r\nx: tok_1\0\xff', 'latin1'), Buffer.from('ab')], {
      ada: 'tok_1',
    });

    expect(shown).toBe('"GET /\\r\\nx: <token of ada>\\u0000\\xff"\n"ab"');
  });
});

describe('a broken server', () => {
  testInCi.each<{ what: string; fault: Fault; problem: RegExp }>([
    { what: 'that answers 500', fault: onRefusal(({ res }) => res.writeHead(500).end()), problem: /^status 500/ },
    { what: 'that never answers', fault: onRefusal(() => undefined), problem: /^no answer within 1500 ms/ },
    { what: 'that closes instead', fault: onRefusal(({ res }) => res.destroy()), problem: /^closed before the answer/ },
    { what: 'that answers no JSON', fault: onJson((text) => text.slice(0, -1)), problem: /^not JSON/ },
    { what: 'that answers another id', fault: onJson((text) => text.replace(/"id":"?[\w-]+"?/, '"id":"other"')), problem: /^an answer to an id that was not sent: "other"/ },
    { what: 'that shows a stack', fault: onJson((text) => text.replace('"message":"', '"message":"at f (/app/x.js:1:2) ')), problem: /^a stack or a path/ },
    { what: 'that shows another user', fault: onJson((text) => text.replace(/(.)$/, (end) => ` ${' '.repeat(3)}${end}`).replace('{', `{"x":"user-bob-${mark()}",`)), problem: /^data of bob in an answer to/ },
    { what: 'that shows a token', fault: onJson((text) => text.replace('{', `{"x":"${healthy.target.secrets.tokens.ada}",`)), problem: /^the token of ada in an answer to/ },
    { what: 'that answers without a token', fault: { changeRequest: ({ headers }) => void (headers.authorization ??= `Bearer ${healthy.target.secrets.tokens.ada}`) }, problem: /nobody/ },
    { what: 'that sends a code elsewhere', fault: { answer: ({ upstream, res, forward }) => upstream.headers.location === undefined ? forward() : res.writeHead(303, { location: 'https://evil.example/' }).end() }, problem: /^a redirect to https:\/\/evil/ },
    { what: 'that believes any JWT', fault: { changeRequest: ({ headers }) => void (headers.authorization &&= headers.authorization.replace(/eyJ.*/, healthy.target.secrets.tokens.ada)) }, problem: /^status 200 where a refusal is due/ },
    { what: 'that takes everybody for one user', fault: { changeRequest: ({ headers }) => void (headers.authorization &&= `Bearer ${healthy.target.secrets.tokens.ada}`) }, problem: /data of ada in an answer to bob|whoami of bob/ },
  ])('$what fails with these words', async ({ fault, problem }) => {
    const proxy = await startFaultyProxy(urlOf(healthy.target), fault);
    const target = { ...healthy.target, port: Number(new URL(proxy.url).port), deadlineMs: 1_500 };

    const { failures } = await fuzz(CASES_OF_FAULT, { target, serverProblem: () => undefined });
    await proxy.close();

    // Not each of them: whether a refusal overtakes a large body is a race that a case may win in company and lose alone.
    const found = failures.filter((failure) => problem.test(failure.problem));
    expect(found).toContainEqual(expect.objectContaining({ alone: true, caseNumber: expect.any(Number) }));
  }); // prettier-ignore

  test('that dies is told apart from a case that fails, and ends the run', async () => {
    const mortal = await startTarget({ script: builtFile('lab/fixture/main.js') });
    await mortal.stop();

    const { serverProblem, passed } = await fuzz(500, {
      target: mortal.target,
      serverProblem: mortal.problem,
    });

    expect(serverProblem).toMatch(/^the server has ended/);
    expect(passed).toBeLessThan(50);
  });

  test('that does not start says what it wrote', async () => {
    const started = startServerChild({
      script: builtFile('lab/fixture/main.js'),
      tokens: {},
      env: { PORT: 'x' },
    });

    await expect(started).rejects.toThrow(/PORT must be a whole number/);
  });
});

/** A line of a log. */
const line = (fields: object): string => `${JSON.stringify({ level: 'info', msg: 'request', ...fields })}\n`;

describe('a log', () => {
  test.each([
    ['an error', line({ level: 'error', msg: 'unexpected error' }), /^an error in the log/],
    ['a stack that is no log line', 'TypeError: x is not a function\n', /^a line that is no log line/],
    ['a token', line({ path: '/mcp/tok_1' }), /^a token in the log$/],
    ['an argument', line({ input: 'canary-7-ada' }), /^an argument in the log/],
    [
      'a whole session id',
      line({ session: '96cfcd97-b896-45ea-80cb-9ada463d72c5' }),
      /^a session id in the log/,
    ],
  ])('with %s is a failure', (_what, text, problem) => {
    const watch = createLogWatch(['tok_1']);

    watch.push(line({}));
    watch.push(text.slice(0, 10));
    watch.push(text.slice(10));

    expect(watch.problems).toEqual([expect.stringMatching(problem)]);
  });

  test('with request ids, warnings and short session ids is none', () => {
    const watch = createLogWatch(['tok_1']);

    watch.push(
      line({ requestId: '96cfcd97-b896-45ea-80cb-9ada463d72c5', session: '96cfcd97' }) +
        line({ level: 'warn' }),
    );

    expect(watch).toMatchObject({ problems: [], lines: 2 });
  });
});

test('a server that runs already is taken with the tokens of two users, and with no other', async () => {
  const { ada, bob } = healthy.target.secrets.tokens;
  const url = urlOf(healthy.target);

  const taken = await takeTarget(url, [ada, bob]);

  expect(taken.target.secrets.identities).toEqual({
    ada: [`user-ada-${mark()}`],
    bob: [`user-bob-${mark()}`],
  });
  await expect(takeTarget(url, [ada, ada])).rejects.toThrow('two different users');
  await expect(takeTarget(url, [ada, 'wrong'])).rejects.toThrow('answers 401: is the token right?');
});

test("a server without the fuzzer's tools is told which one to start instead", async () => {
  const bare = await startTestServer({ tools: [] });

  const taken = takeTarget(bare.url, [ADA, BOB]);

  await expect(taken).rejects.toThrow('start dist/lab/fixture/main.js in place of dist/src/main.js');
  await bare.close();
});

/** What the names of the healthy server's users end in. */
function mark(): string {
  return String(healthy.target.secrets.identities.ada[0]).slice('user-ada-'.length);
}

/** Where a target is. */
function urlOf({ host, port }: Target): string {
  return `http://${host}:${port}`;
}

/** Does something else where the answer is a refusal. */
function onRefusal(answer: (exchange: Exchange) => void): Fault {
  return {
    answer: (exchange) => (exchange.upstream.statusCode === 401 ? answer(exchange) : exchange.forward()),
  };
}

/** Changes the text of JSON answers. */
function onJson(change: (text: string) => string): Fault {
  return {
    answer: ({ upstream, res, forward }) => {
      if (upstream.headers['content-type']?.startsWith('application/json') !== true) return forward();
      let text = '';
      upstream.setEncoding('utf8').on('data', (part: string) => (text += part));
      upstream.on('end', () => {
        const { 'content-length': _length, ...headers } = upstream.headers;
        res.writeHead(upstream.statusCode ?? 0, headers).end(change(text));
      });
    },
  };
}
