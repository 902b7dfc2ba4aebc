/**
 * Keeps what V8 has compiled of the program for the next start, from Node 22 on: less to do at each start
 * (`npm run bench -- --only start` shows what a start takes). It is a folder in `dist/`, so that a build begins anew; where it cannot be written, as in the image,
 * what is in it is used.
 */
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

/** What this Node can do about it. */
interface CompileCache {
  readonly enableCompileCache?: (folder: string) => unknown;
  readonly flushCompileCache?: () => void;
}

/** Has Node look there before it compiles. Call it before what it is to be for is imported. */
export function keepCompiled(): void {
  offered().enableCompileCache?.(fileURLToPath(new URL('../.compiled', import.meta.url)));
}

/** Writes what has been compiled so far; a process that ends does that by itself. */
export function writeCompiled(): void {
  offered().flushCompileCache?.();
}

/** What this Node has of it; the types are those of Node 20, which has nothing. */
function offered(): CompileCache {
  const library: object = nodeModule;
  return library;
}
