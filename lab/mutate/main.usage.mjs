/** What `npm run mutate -- --help` prints. */

export const USAGE = `Usage: npm run mutate -- [--named | --promised] [--only PATH] [--sample N --seed N] [--list]
  --named       only the faults that tests once did not notice
  --promised    a breach of each promise of SECURITY.md that tests in one process can see; a test that the promise names must fail
  --only PATH   only mutants of files whose path begins so, such as src/auth; may be given several times
  --sample N    so many of them, drawn at random by --seed (default 1), and what they say of all; without it all, which takes hours
  --list        only show which they are
Fails when one survives that nobody has explained, or when fewer than 95 % are killed.`;
