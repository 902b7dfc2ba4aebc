/** Starts real proxies with the configurations of `deploy/`, in front of instances under test. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe } from '@jest/globals';
import { findFreePort } from './free-port.ts';
import { ROOT, type Sandbox, type TestProcess, waitFor } from './process.ts';
import { send } from './raw-http.ts';

/** A proxy program. */
export interface Program {
  readonly name: string;
  /** Its configuration in `deploy/`. */
  readonly file: string;
  /** Its arguments for a configuration file and the file's folder. */
  args(file: string, folder: string): string[];
}

/** The proxies that `deploy/` has configurations for. */
const PROXIES: readonly [Program, Program, Program] = [
  { name: 'nginx', file: 'nginx.conf', args: (file, folder) => ['-p', folder, '-c', file] },
  { name: 'haproxy', file: 'haproxy.cfg', args: (file) => ['-f', file] },
  {
    name: 'caddy',
    file: 'Caddyfile',
    args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
];

/** The folders of programs: nginx and HAProxy may not be in the PATH. */
const FOLDERS = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The path of a program; undefined when it is not installed. */
function findProgram(name: string): string | undefined {
  return FOLDERS.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

const found = PROXIES.filter(({ name }) => findProgram(name) !== undefined);

/** The proxies that are installed here. When none is, all of them, so that their tests are listed as skipped. */
export const INSTALLED: readonly Program[] = found.length > 0 ? found : PROXIES;

/** The proxies that have an example for a single server. */
export const [NGINX, , CADDY] = PROXIES;

/** Describes tests that need this proxy; they are skipped when it is not installed. */
export function describeBehind(program: Program): typeof describe.skip {
  const { skip } = describe;
  return found.includes(program) ? describe : skip;
}

/** Describes tests that need any proxy. They are skipped when none is installed; a message names those that are missing. */
export const describeBehindProxies = chooseDescribe();

/** jest's `describe`, or the one that skips. */
function chooseDescribe(): typeof describe.skip {
  const missing = PROXIES.filter((proxy) => !found.includes(proxy)).map(({ name }) => name);
  if (missing.length > 0) {
    const names = missing.join(' ');
    process.stderr.write(
      `Not tested behind ${names}, which are missing (Debian: apt-get install --no-install-recommends ${names}).\n`,
    );
  }
  const { skip } = describe;
  return found.length > 0 ? describe : skip;
}

/** A proxy that serves. */
export interface Proxy extends TestProcess {
  readonly url: string;
  /** The folder of its configuration. */
  readonly folder: string;
}

/** Changes a configuration for instances that each serve every session: without stickiness and with a third instance. */
export function inTurn(text: string, ports: readonly number[]): string {
  const third = `127.0.0.1:${ports[2]}`;
  return text
    .replace(/^ *ip_hash;\n/m, '')
    .replace(/balance source\n *hash-type consistent/, 'balance roundrobin')
    .replace('lb_policy ip_hash', 'lb_policy round_robin')
    .replace(
      /( *server )127.0.0.1:8002( max_fails=0;\n)/,
      (line, start, end) => `${line}${start}${third}${end}`,
    )
    .replace(/( *server )two 127.0.0.1:8002\n/, (line, start) => `${line}${start}three ${third}\n`)
    .replace('reverse_proxy 127.0.0.1:8001 127.0.0.1:8002', (line) => `${line} ${third}`);
}

/** The ports in the configurations: that of the proxy, and those of the two instances. */
const [LISTENS, ...INSTANCES] = ['8080', '8001', '8002'] as const;

/** Starts a proxy with its configuration in front of running instances: two, unless `change` adds more. */
export async function startProxy(
  sandbox: Sandbox,
  { name, file, args }: Program,
  ports: readonly number[],
  change: (text: string, ports: readonly number[]) => string = (text) => text,
): Promise<Proxy> {
  const port = await findFreePort();
  let text = change(await readExample(file), ports);
  for (const [index, instance] of INSTANCES.entries())
    text = text.replaceAll(`127.0.0.1:${instance}`, `127.0.0.1:${ports[index]}`);
  // The proxy listens on loopback only, so that others cannot reach what a developer's machine serves during tests.
  text = text.replaceAll(LISTENS, file === 'nginx.conf' ? `127.0.0.1:${port}` : String(port));
  return startProgram(sandbox, { name, args }, { text, url: `http://127.0.0.1:${port}` });
}

/** The text of an example in `deploy/`. */
export async function readExample(file: string): Promise<string> {
  return readFile(path.join(ROOT, 'deploy', file), 'utf8');
}

/** The configuration of a program to start. */
interface Started {
  /** The text of the configuration. */
  readonly text: string;
  /** The address at which it will listen. */
  readonly url: string;
  /** The address that answers 200 once it serves. Default: its `/health`. */
  readonly ready?: string;
  /** Other files to put beside the configuration. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a program may take to end by itself. Milliseconds. */
const END_WITHIN_MS = 3_000;

/** Starts a program on a configuration, and waits until it serves. */
export async function startProgram(
  sandbox: Sandbox,
  { name, args }: Pick<Program, 'name' | 'args'>,
  { text, url, ready = `${url}/health`, files = {}, env = {} }: Started,
): Promise<Proxy> {
  const file = 'configuration';
  const folder = await sandbox.folder({ ...files, [file]: text });
  const command = findProgram(name) ?? name;
  const started = sandbox.spawn({ command, args: args(path.join(folder, file), folder), cwd: folder, env });
  // SIGTERM first: when killed, nginx and HAProxy would leave their workers behind.
  sandbox.defer(async () => {
    started.child.kill('SIGTERM');
    // Caddy waits for open streams; the sandbox kills what is left then.
    await Promise.race([started.ended, delay(END_WITHIN_MS, undefined, { ref: false })]);
  });
  await waitFor(`${name} to serve\n${started.stderr()}`, async () => {
    if (started.child.exitCode !== null) throw new Error(`${name} ended: ${started.stderr()}`);
    const answer = await send(ready).catch(() => undefined);
    return answer?.status === 200;
  });
  return { ...started, url, folder };
}
