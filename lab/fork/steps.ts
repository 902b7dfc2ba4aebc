/** Steps that pass or fail, a line each, and the programs that they run. */
import { spawn } from 'node:child_process';

/** A step has failed, and was reported: what builds on it is left out. */
export class StepFailed extends Error {}

/** Counts steps. */
export class Steps {
  passed = 0;
  failed = 0;

  /**
   * Takes a step and prints how it went.
   * @throws {StepFailed} when it failed
   */
  async take<Result>(name: string, action: () => Promise<Result>): Promise<Result> {
    const startedMs = performance.now();
    const took = (): string => `${Math.round((performance.now() - startedMs) / 1000)} s`;
    try {
      const result = await action();
      this.passed += 1;
      console.log(`ok    ${name} (${took()})`);
      return result;
    } catch (error) {
      this.failed += 1;
      console.log(`FAIL  ${name} (${took()})\n${error instanceof Error ? error.message : String(error)}`);
      throw new StepFailed(name);
    }
  }

  /** Takes the steps of a fork; after one that failed, those of the next fork are taken all the same. */
  async fork(name: string, takeAll: () => Promise<void>): Promise<void> {
    console.log(`\n${name}`);
    try {
      await takeAll();
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
    }
  }
}

/** So much of what a program wrote is shown when it fails. */
const SHOWN_LINES = 60;

/**
 * Runs a program to its end and returns what it wrote.
 * @throws with the end of its output when it fails
 */
export async function run(cwd: string, program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-200_000)));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const shown = output.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
      reject(new Error(`${[program, ...args].join(' ')} ended with ${code ?? signal}:\n${shown}`));
    });
  });
}

/**
 * Nothing of the npm that runs this program, and an author for the commits. A fork is tested as at its author's desk, without `CI`: of
 * the further examples that are left to CI, each has run in the template.
 */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|GIT_|CI$)/i.test(name));
  const identity = { NAME: 'A fork', EMAIL: 'fork@example.com' };
  return {
    ...Object.fromEntries(own),
    GIT_AUTHOR_NAME: identity.NAME,
    GIT_AUTHOR_EMAIL: identity.EMAIL,
    GIT_COMMITTER_NAME: identity.NAME,
    GIT_COMMITTER_EMAIL: identity.EMAIL,
  };
}
