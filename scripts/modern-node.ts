/** Finds a Node that is new enough for tools that refuse the oldest one this project supports: the conformance suite, the Inspector. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { npmProgram } from './npm-program.ts';

const run = promisify(execFile);

const NEEDED_MAJOR = 22;
const INSTALL_TIMEOUT_MS = 180_000;

const found = new Map<number, Promise<string>>();

/**
 * The path of a Node of that version or later: the running one, otherwise the npm package `node`, which npm keeps in its cache.
 * @throws {Error} saying what failed and what would help
 */
export async function findModernNode(major = NEEDED_MAJOR): Promise<string> {
  if (isModern(process.versions.node, major)) return process.execPath;
  const node = found.get(major) ?? installNode(major);
  found.set(major, node);
  return node;
}

/** Has npm install the package `node` of a major version, and checks that it runs here. */
export async function installNode(major: number): Promise<string> {
  try {
    // npm's cache keeps the package, so it is downloaded only once. `--yes`, since nobody can answer npm's question.
    const args = ['exec', '--yes', `--package=node@${major}`, '--call', 'node -p process.execPath'];
    const [npm, ...first] = npmProgram('npm');
    const { stdout } = await run(npm, [...first, ...args], { timeout: INSTALL_TIMEOUT_MS });
    const node = stdout.trim().split('\n').at(-1) ?? '';
    await access(node);
    const { stdout: version } = await run(node, ['-p', 'process.versions.node']);
    if (!isModern(version.trim(), major)) throw new Error(`${node} is Node ${version.trim()}`);
    return path.resolve(node);
  } catch (cause) {
    const hint = `Node ${major} or later is needed; install it, or let npm reach its registry for the package "node".`;
    throw new Error(hint, { cause });
  }
}

/** Whether a version such as `22.1.0` is new enough. */
function isModern(version: string, major: number): boolean {
  return Number.parseInt(version, 10) >= major;
}
