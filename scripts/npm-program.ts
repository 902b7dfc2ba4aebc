/** How npm and npx are started on every system. */
import path from 'node:path';

/** Where one looks for them. */
interface Surroundings {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  /** The path of Node. */
  readonly node?: string;
}

/** The program and its first argument, if it needs one, before the arguments of npm or npx. */
export function npmProgram(
  name: 'npm' | 'npx',
  { env = process.env, platform = process.platform, node = process.execPath }: Surroundings = {},
): readonly [program: string, ...first: string[]] {
  const { join, dirname } = platform === 'win32' ? path.win32 : path.posix;
  const { npm_execpath: npmCli } = env;
  // Under npm, the npm that is running; it need not be the first on the PATH.
  if (npmCli?.endsWith('npm-cli.js') === true) return [node, join(dirname(npmCli), `${name}-cli.js`)];
  // There they are scripts of cmd.exe, which start in a shell alone, and that would read the arguments once more.
  if (platform === 'win32')
    return [node, join(dirname(node), 'node_modules', 'npm', 'bin', `${name}-cli.js`)];
  return [name];
}
