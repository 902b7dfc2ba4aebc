/** What `npm run mutate -- --help` prints. */

export const USAGE = `Usage: npm run mutate -- [--named | --promised] [--only PART] [--sample N --seed N] [--list]
  --named       only the faults that tests once did not notice
  --promised    a breach of each promise of SECURITY.md that tests in one process can see; a test that the promise names must fail
  --only PART   only mutants whose place begins so, such as src/auth or src/auth/user.ts:20; with --named and --promised, only those in whose line
                this stands; may be given several times
  --sample N    so many of them, drawn at random by --seed (default 1), and what they say of all; without it all, which takes hours
  --list        only show which they are
Ctrl-C ends it after the mutant that is being tried, and it says what those before it say.
Fails when one survives that nobody has explained, or when fewer than 95 % are killed.`;
