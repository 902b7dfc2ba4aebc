/**
 * The build runs it once, so that V8 compiles what every start runs (`load-joined.mjs` keeps that code): then the first start of a
 * deployment is like any other. On import, this program does nothing.
 */
import { definition } from '../src/definition.ts';
import { rehearseStart } from '../src/server/rehearse.ts';

/** Starts a server with this server's tools, and ends it. */
export async function rehearse(): Promise<void> {
  await rehearseStart(definition.tools);
}
