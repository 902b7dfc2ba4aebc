/** How to start npm and npx on every system. */
import path from 'node:path';

/** The environment in which they are looked for. */
interface Surroundings {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  /** The path of Node. */
  readonly node?: string;
}

/** The program to start, and its first argument where it needs one; the arguments of npm or npx follow. */
export function npmProgram(
  name: 'npm' | 'npx',
  { env = process.env, platform = process.platform, node = process.execPath }: Surroundings = {},
): readonly [program: string, ...first: string[]] {
  const { join, dirname } = platform === 'win32' ? path.win32 : path.posix;
  const { npm_execpath: npmCli } = env;
  // Under npm, use the npm that is running, which need not be the first on the PATH.
  if (npmCli?.endsWith('npm-cli.js') === true) return [node, join(dirname(npmCli), `${name}-cli.js`)];
  // On Windows they are cmd.exe scripts, which need a shell, and the shell would parse the arguments once more.
  if (platform === 'win32')
    return [node, join(dirname(node), 'node_modules', 'npm', 'bin', `${name}-cli.js`)];
  return [name];
}
