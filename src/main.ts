/** The HTTP entry. */
import { keepCompiled } from './compile-cache.ts';

keepCompiled();
const [{ definition }, { runServer }] = await Promise.all([
  import('./definition.ts'),
  import('./server/run-server.ts'),
]);
await runServer(definition, process.env);
