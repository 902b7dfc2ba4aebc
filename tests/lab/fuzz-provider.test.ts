/** The fuzzer against a server of an identity provider: its tokens open it, and what is nearly one opens nothing. */
import { expect } from '@jest/globals';
import { byProvider } from '../../lab/fuzz/provider-mode.ts';
import { runCases } from '../../lab/fuzz/runner.ts';
import { startTarget } from '../../lab/fuzz/target.ts';
import { testInCi } from '../support/in-ci.ts';
import { builtFile } from '../support/process.ts';

/** How many cases it passes: where CI has the time, more of them. */
const CASES = 400;

testInCi(
  'a server of an identity provider passes cases of every kind',
  async () => {
    const server = await startTarget({ script: builtFile('lab/fixture/main.js'), openMode: byProvider });
    const { target, problem } = server;

    const cases = Array.from({ length: CASES }, (_, index) => index);
    const { passed, failures, serverProblem } = await runCases({
      target,
      seed: 5,
      cases,
      concurrency: 16,
      serverProblem: problem,
    });
    const ending = await server.stop();

    expect(failures.map(({ caseNumber, problem: found }) => ({ caseNumber, found }))).toEqual([]);
    expect([serverProblem, ending]).toEqual([undefined, undefined]);
    expect(passed).toBe(CASES);
  },
  60_000,
);
