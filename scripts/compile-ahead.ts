/** Has V8 compile what a start imports, and keep it: the first start of a deployment then is like any other. Nothing is started. */
import { keepCompiled, writeCompiled } from '../src/compile-cache.ts';

keepCompiled();
try {
  await Promise.all([
    import('../src/definition.ts'),
    import('../src/server/run-server.ts'),
    import('../src/server/run-stdio.ts'),
  ]);
} catch (error) {
  // The server will say the same, and louder; nobody's build fails here.
  console.error('compile-ahead:', error);
}
writeCompiled();
// What a fork's modules may have opened is nothing to wait for.
process.exit(0);
