/** What `npm run fork-proof -- --help` prints. */

export const USAGE = `Usage: npm run fork-proof -- [--quick] [adds] [own] [islands]
Forks this checkout into results/fork-proof/ and proves that a fork stays green; without names, in all three ways.
  adds     a tool, a tool that writes, a prompt, a resource template, a service with a variable, beside all that is there: the
           tests of the documents, and a small suite
  own      npm run init, which takes the examples and documents away; no worked application; all of the above, and a package with
           an install script: every test; then a merge of a later version
  islands  each island taken out: types; a third of them at once, and all: build, types, the small suite
  --quick  the small suite in place of every test, and of islands only all at once are built and run
What failed is left there to be looked at. Exit code 1 when something failed, 2 when the command line is wrong.`;
