/** `npm run smoke`: proves from outside that a deployed server works and is protected. */
import { runSmoke } from './smoke/run.ts';

// The reader of standard output, such as `head`, may have gone: the run cannot tell its result.
process.stdout.on('error', () => process.exit(1));

process.exitCode = await runSmoke(process.argv.slice(2), {
  environment: process.env,
  stdout: { write: (text) => process.stdout.write(text), isTerminal: process.stdout.isTTY },
  stderr: { write: (text) => process.stderr.write(text), isTerminal: process.stderr.isTTY },
});
