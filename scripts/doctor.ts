/** `npm run doctor`: follows a client's configuration file to its server, and says where the way breaks. */
import { runDoctor } from './doctor/run.ts';

// The reader of standard output, such as `head`, may have gone: the run cannot tell its result.
process.stdout.on('error', () => process.exit(1));

process.exitCode = await runDoctor(process.argv.slice(2), {
  environment: process.env,
  stdout: { write: (text) => process.stdout.write(text), isTerminal: process.stdout.isTTY },
  stderr: { write: (text) => process.stderr.write(text), isTerminal: process.stderr.isTTY },
});
