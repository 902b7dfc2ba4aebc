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
      'This folder is no git repository, so that nothing could be had back. git init, git add -A and git commit; or --force.',
    );
  if (status !== '')
    throw new CommandError(
      EXIT.failed,
      'Something is not committed, and could not be told from what this command changes. git commit, or git stash; or --force.',
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
