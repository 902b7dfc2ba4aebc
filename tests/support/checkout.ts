/** Makes small checkouts: our scripts and settings around a one-line program, and an npm that only records its calls. */
import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from '@jest/globals';
import { ROOT } from './process.ts';

/** The result of a program that has ended. */
export interface RunResult {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Stand-ins for the types of Node: with the real ones, and the language's latest library, each compilation would take three times as long
 * as everything else.
 */
const NODE_TYPES = `declare const process: any;
declare function setTimeout(...args: any[]): unknown;
declare module 'node:*';
`;

/** A compiler, for a checkout without the real one, that makes this program of whatever there is: it takes none of the time. */
export function compilerThatMakes(program: string): string {
  return `const { mkdirSync, writeFileSync } = require('node:fs');
mkdirSync('dist/src', { recursive: true });
writeFileSync('dist/src/main.js', ${JSON.stringify(program)});
`;
}

const checkouts: string[] = [];

/** Deletes the checkouts after the last test of the file that calls this. */
export function deleteCheckouts(): void {
  afterAll(async () => {
    const finished = checkouts.splice(0);
    await Promise.all(finished.map((directory) => rm(directory, { recursive: true })));
  });
}

/** Makes a checkout with the recording npm. The real compiler is linked in, unless the real npm is to install, which would delete it. */
export async function createCheckout({ withCompiler = true }: { readonly withCompiler?: boolean } = {}) {
  const directory = await mkdtemp(path.join(tmpdir(), 'checkout-test-'));
  checkouts.push(directory);
  const at = (name: string) => path.join(directory, name);
  const write = async (name: string, content: string) => {
    await mkdir(path.dirname(at(name)), { recursive: true });
    await writeFile(at(name), content);
  };

  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', '.npmrc'])
    await cp(path.join(ROOT, name), at(name));
  await cp(path.join(ROOT, 'scripts'), at('scripts'), {
    recursive: true,
    filter: async (name) => name.endsWith('.mjs') || name === path.join(ROOT, 'scripts'),
  });
  await mkdir(at('node_modules'));
  if (withCompiler) {
    await symlink(path.join(ROOT, 'node_modules/typescript'), at('node_modules/typescript'), 'junction');
    await write('node_modules/@types/node/index.d.ts', NODE_TYPES);
    const settings = await readFile(at('tsconfig.json'), 'utf8');
    await writeFile(at('tsconfig.json'), settings.replace('"lib": ["es2023"]', '"lib": ["es5"]'));
  }
  await write('src/main.ts', "process.stdout.write('one\\n');\n");
  await write('package-lock.json', '{}');
  await write(
    'npm-cli.js',
    `import { appendFileSync } from 'node:fs';
appendFileSync('npm-calls.log', process.argv.slice(2).join(' ') + '\\n');
process.exitCode = Number(process.env.FAKE_NPM_EXIT_CODE ?? 0);
`,
  );

  return {
    directory,
    write,
    read: async (name: string) => readFile(at(name), 'utf8'),
    remove: async (name: string) => rm(at(name)),
    exists: async (name: string) =>
      stat(at(name)).then(
        () => true,
        () => false,
      ),
    spawn: (command: string, args: readonly string[]) =>
      spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] }),
    /** Runs one of our scripts to its end, whatever its exit code. */
    run: async (script: string, env: Readonly<Record<string, string>> = {}, args: readonly string[] = []) =>
      runToEnd(process.execPath, [`scripts/${script}.mjs`, ...args], {
        cwd: directory,
        env: { ...env, npm_execpath: at('npm-cli.js') },
      }),
  };
}

/** Runs a program to its end, whatever its exit code. */
export async function runToEnd(
  program: string,
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<RunResult> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}
