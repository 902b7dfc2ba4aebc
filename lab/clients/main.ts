/** `npm run clients -- URL`: gives popular client programs our configuration in an empty home, and has each list its servers. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { npmProgram } from '../../scripts/npm-program.ts';
import { renderClient } from '../../src/connect/clients.ts';
import { readPackage } from '../../src/package.ts';
import { helped, understood } from '../help.ts';
import { readServerLine, type ServerLine } from '../server-line.ts';
import { USAGE } from './main.usage.mjs';
import { type ClientProgram, PROGRAMS } from './programs.ts';

const run = promisify(execFile);

/** How long a program may take; the first time, that includes its download. Milliseconds. */
const TIMEOUT_MS = 300_000;

const LAST_CHARS = 800;

process.exitCode = await main();

/** Runs the command line; returns the exit code. */
async function main(): Promise<number> {
  if (helped(USAGE)) return 0;
  const line = understood(() => readServerLine('clients', USAGE));
  if (line === undefined) return 2;
  const programs = PROGRAMS.filter(({ id }) => line.only === undefined || id.startsWith(line.only));
  let passed = 0;
  for (const program of programs) {
    const problem = await findProblem(program, line);
    if (problem === undefined) passed += 1;
    const shown = line.token === undefined ? problem : problem?.replaceAll(line.token, '…');
    console.log(shown === undefined ? `✓ ${program.package}` : `✗ ${program.package}: ${shown}`);
  }
  console.log(`\n${passed} of ${programs.length} programs listed the server`);
  return passed > 0 && passed === programs.length ? 0 : 1;
}

/** Has a program list its servers. Returns what is wrong; undefined when it lists ours. */
async function findProblem(
  program: ClientProgram,
  { url: origin, token }: ServerLine,
): Promise<string | undefined> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'mcp-client-'));
  try {
    const { name } = readPackage();
    const target = { name, origin, token, ...(token === undefined && { withoutHeader: true }) };
    const { text } = renderClient(program.id, target);
    const files = Object.entries(program.besides ?? {}).map(([file, write]) => [file, write(home)] as const);
    for (const [file, content] of program.file === undefined
      ? files
      : [...files, [program.file, text] as const]) {
      await mkdir(path.dirname(path.join(home, file)), { recursive: true });
      await writeFile(path.join(home, file), content, { mode: 0o600 });
    }
    const command = program.file === undefined ? `${text} && ${program.list}` : program.list;
    const output = await runInHome(program.package, command, home);
    if (program.shows(name, `${origin}/mcp`).test(output)) return undefined;
    return `did not list the server as expected:\n${output.slice(-LAST_CHARS)}`;
  } catch (error) {
    return `did not run: ${(error instanceof Error ? error.message : String(error)).slice(-LAST_CHARS)}`;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Runs a command with a package's programs in the PATH. npm keeps the package in its usual cache. */
async function runInHome(name: string, command: string, home: string): Promise<string> {
  const [npm, ...first] = npmProgram('npm');
  const { stdout: cache } = await run(npm, [...first, 'config', 'get', 'cache']);
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    USERPROFILE: home,
    npm_config_cache: cache.trim(),
    npm_config_userconfig: process.env['npm_config_userconfig'] ?? path.join(os.homedir(), '.npmrc'),
  };
  const args = [...first, 'exec', '--yes', `--package=${name}`, '--call', command];
  const running = run(npm, args, { cwd: home, env, timeout: TIMEOUT_MS, maxBuffer: 10_000_000 });
  running.child.stdin?.end();
  const { stdout, stderr } = await running;
  return stripVTControlCharacters(`${stdout}\n${stderr}`);
}
