/** Asks git about the checkout: a command that changes many files requires that each of them can be restored. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CommandError, EXIT } from '../token/command-error.ts';

const run = promisify(execFile);

/**
 * Refuses a checkout with changes that are not committed.
 * @throws {CommandError} saying what to do
 */
export async function requireCommitted(root: string): Promise<void> {
  const status = await statusOf(root);
  if (status === undefined)
    throw new CommandError(
      EXIT.failed,
      'This folder is not a git repository, so nothing could be undone. Run git init, git add -A and git commit; or use --force.',
    );
  if (status !== '')
    throw new CommandError(
      EXIT.failed,
      'There are uncommitted changes, which could not be told from those of this command. Run git commit or git stash; or use --force.',
    );
}

/** The output of `git status`; undefined when there is no repository, or no git. */
async function statusOf(root: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('git', ['status', '--porcelain'], { cwd: root });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
