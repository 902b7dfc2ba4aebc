/** Preloaded into the built server (`node --import`): adds the tool `explode`, whose call is answered, and then throws where nobody waits. */
import { z } from 'zod';

/**
 * A module of the build, with the types of its source: `dist` need not be there when types are checked.
 *
 * @param {string} name
 */
const built = async (name) =>
  /** @type {unknown} */ (await import(new URL(`../../dist/src/${name}.js`, import.meta.url).href));

const { defineTool } = /** @type {typeof import('../../src/mcp/tool.ts')} */ (await built('mcp/tool'));
const { tools } = /** @type {{ tools: import('../../src/mcp/tool.ts').Tool[] }} */ (
  await built('tools/index')
);

// main.js is evaluated after this file and gets the same array from the module cache.
tools.push(
  defineTool({
    name: 'explode',
    title: 'Explode',
    description: 'Throws after its answer.',
    input: z.object({ how: z.enum(['throw', 'reject']) }),
    run: ({ how }) => {
      setImmediate(() => {
        if (how === 'throw') throw new Error('nobody catches this');
        void Promise.reject(new Error('nobody awaits this'));
      });
      return 'lit';
    },
  }),
);
