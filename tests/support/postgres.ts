/** Starts a real PostgreSQL for a test, in a folder of its own; tests that need one are skipped where none is installed. */
import { execFileSync } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type Sandbox, type TestProcess, waitFor } from './process.ts';

/** Debian's packages put the programs here, by version, and not into PATH: `apt-get install postgresql`. */
const VERSIONS = '/usr/lib/postgresql';

/** The folder of its programs; undefined when it is not installed. */
const programs = existsSync(VERSIONS)
  ? readdirSync(VERSIONS)
      .map((version) => path.join(VERSIONS, version, 'bin'))
      .findLast((folder) => existsSync(path.join(folder, 'initdb')))
  : undefined;

/** Whether PostgreSQL is installed. */
export const hasPostgres = programs !== undefined;

/** PostgreSQL refuses to run as root, as whom containers run tests, so it runs as `nobody` there. */
const UID = process.getuid?.() === 0 ? 65_534 : undefined;

/** A password that must never be shown. */
export const PASSWORD = 'p4ssw0rd-of-the-database';

/** A running PostgreSQL. */
export interface TestPostgres {
  /** Creates an empty database; returns its URL. */
  createDatabase(): string;
  /** Stops it, as a crash does. */
  crash(): Promise<void>;
  /** Starts it again with the data that it has kept. */
  start(): Promise<void>;
}

/** Starts one, which ends with the sandbox. */
export async function startPostgres(sandbox: Sandbox): Promise<TestPostgres> {
  const folder = await sandbox.folder();
  if (UID !== undefined) await chown(folder, UID, UID);
  const run = (program: string, ...args: readonly string[]): string =>
    execFileSync(path.join(programs ?? '', program), args, {
      encoding: 'utf8',
      stdio: 'pipe',
      cwd: folder,
      ...(UID !== undefined && { uid: UID }),
    });
  run(
    'initdb',
    '-D',
    'data',
    '-U',
    'mcp',
    '--auth=trust',
    '--no-sync',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
  );
  let running: TestProcess | undefined;
  let made = 0;
  const psql = (text: string): string => run('psql', '-h', folder, '-U', 'mcp', '-d', 'postgres', '-c', text);
  const postgres: TestPostgres = {
    createDatabase() {
      made += 1;
      psql(`create database test_${made}`);
      return `postgres://mcp:${PASSWORD}@localhost/test_${made}?host=${encodeURIComponent(folder)}`;
    },
    async crash() {
      running?.child.kill('SIGQUIT');
      await running?.ended;
    },
    async start() {
      running = sandbox.spawn({
        command: path.join(programs ?? '', 'postgres'),
        args: ['-D', 'data', '-k', folder, '-c', 'listen_addresses=', '-F'],
        cwd: folder,
        uid: UID,
      });
      await waitFor('a PostgreSQL that answers', () => {
        try {
          return psql('select 1') !== '';
        } catch {
          return false;
        }
      });
    },
  };
  await postgres.start();
  sandbox.defer(postgres.crash);
  return postgres;
}
