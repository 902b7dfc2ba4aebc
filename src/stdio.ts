/** The stdio entry: the same definition for a local host; stdout belongs to the protocol. */
import { keepCompiled } from './compile-cache.ts';

keepCompiled();
const [{ definition }, { runStdio }] = await Promise.all([
  import('./definition.ts'),
  import('./server/run-stdio.ts'),
]);
await runStdio(definition, process.env);
