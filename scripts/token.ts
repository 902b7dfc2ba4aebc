/** `npm run token`: makes, lists, changes and ends the tokens of this server. */
import { runTokenCommand } from './token/run.ts';

// The reader of standard output, such as `head`, may have gone; that is no failure.
process.stdout.on('error', () => undefined);
process.exitCode = await runTokenCommand(process.argv.slice(2), process.env, {
  now: Date.now,
  print: (text) => console.log(text),
  warn: (text) => console.error(text),
});
