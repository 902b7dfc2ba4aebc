/**
 * `npm run audit`: asks the registry for known vulnerabilities of the runtime dependencies; high and critical ones fail. When
 * the registry cannot be asked, it says so and passes: being offline is no vulnerability.
 */
import { execFile } from 'node:child_process';
import { npmProgram } from '../../scripts/npm-program.ts';
import { helped, understoodSwitches } from '../help.ts';
import { USAGE } from './main.usage.mjs';
import { judgeAudit } from './judge.ts';

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

if (helped(USAGE)) process.exitCode = 0;
else if (understoodSwitches('audit', USAGE) === undefined) process.exitCode = 2;
else {
  const { words, passed } = judgeAudit(await runNpmAudit());
  console.log(`audit: ${words}`);
  process.exitCode = passed ? 0 : 1;
}

/** Runs `npm audit`; returns its output, which is empty when it cannot be run. */
async function runNpmAudit(): Promise<string> {
  const [program, ...first] = npmProgram('npm');
  const args = [...first, 'audit', '--omit=dev', '--json'];
  return new Promise((resolve) => {
    const options = { maxBuffer: MAX_OUTPUT_BYTES, timeout: TIMEOUT_MS };
    // The exit code says less than the output: it is the same for a vulnerability and for a missing registry.
    execFile(program, args, options, (_error, stdout) => resolve(stdout));
  });
}
