/** Runs steps that pass or fail, prints one line for each, and runs the programs of the steps. */
import { spawn } from 'node:child_process';

/** A step has failed, and has been reported: the steps that depend on it are left out. */
class StepFailed extends Error {}

/** Runs steps, and counts those that passed and failed. */
export class Steps {
  passed = 0;
  failed = 0;

  /**
   * Runs a step and prints its result.
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

  /** Runs the steps of a fork. When one fails, the rest of this fork is left out, and the next fork goes on. */
  async fork(name: string, takeAll: () => Promise<void>): Promise<void> {
    console.log(`\n${name}`);
    try {
      await takeAll();
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
    }
  }
}

/** How many lines of a failed program's output are shown. */
const SHOWN_LINES = 60;

/**
 * Runs a program to its end, and returns its output.
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
 * The environment without npm's and git's variables, and with an author for commits. Without `CI`, too: a fork is tested as on its author's
 * machine, and what only CI runs has been run in the template.
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
