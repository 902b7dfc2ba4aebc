/** How long the token commands take on a large token file. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Lab, takeTurns } from '../lab.ts';
import type { Figures, Series } from '../metrics.ts';
import { tokenOf, writeTokenFile } from '../tokens.ts';

/** The commands, each about another user. */
const COMMANDS: readonly (readonly string[])[] = [
  ['create', '--user', 'somebody'],
  ['rotate', createHash('sha256').update(tokenOf(1)).digest('hex').slice(0, 8)],
  ['revoke', '--user', 'user2'],
  ['disable', '--user', 'user3'],
  ['list'],
];

const SCRIPT = fileURLToPath(new URL('../../../scripts/token.js', import.meta.url));

/** Preloaded: prints the CPU time of a command when it ends. */
const TELL_CPU = `process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  process.stderr.write('\\ncpu ' + (user + system) / 1000 + '\\n');
});`;

/** Runs each command with a token file of its own. */
export function measureEdits(lab: Lab): Promise<Series[]> {
  const contestants = COMMANDS.map((command) => ({
    name: command[0] ?? '',
    kind: 'variant' as const,
    command,
  }));
  return takeTurns(lab, contestants, async ({ command }): Promise<Figures> => {
    const cwd = await mkdtemp(path.join(lab.directory, 'edits-'));
    const tokenFile = path.join(cwd, 'tokens.json');
    await writeTokenFile(tokenFile, lab.settings.tokens);
    const preload = `data:text/javascript,${encodeURIComponent(TELL_CPU)}`;
    const startedMs = performance.now();
    const { stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', preload, SCRIPT, ...command],
      { cwd, env: { PATH: process.env['PATH'], TOKENS_FILE: tokenFile }, maxBuffer: 256 * 1024 * 1024 },
    );
    const commandMs = performance.now() - startedMs;
    return { commandMs, commandCpuMs: Number(/^cpu ([\d.]+)$/m.exec(stderr)?.[1]) };
  });
}
