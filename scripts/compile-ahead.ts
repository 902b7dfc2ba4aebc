/**
 * What the build does once, so that V8 has compiled what every start runs (`load-joined.mjs` keeps it): the first start of a deployment then is
 * like any other. By itself this program does nothing.
 */
import { definition } from '../src/definition.ts';
import { rehearseStart } from '../src/server/rehearse.ts';

/** Starts a server with the tools of this one, and ends it. */
export async function rehearse(): Promise<void> {
  await rehearseStart(definition.tools);
}
