/** `npm run doctor`: walks the way from a client's configuration file to its server, and says where it breaks. */
import { runDoctor } from './doctor/run.ts';

// Whoever read our output, such as `head`, has gone.
process.stdout.on('error', () => process.exit(1));

process.exitCode = await runDoctor(process.argv.slice(2), {
  environment: process.env,
  stdout: { write: (text) => process.stdout.write(text), isTerminal: process.stdout.isTTY },
  stderr: { write: (text) => process.stderr.write(text), isTerminal: process.stderr.isTTY },
});
