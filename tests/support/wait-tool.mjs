/** Preloaded into the built server (`node --import`): adds the tool `wait`, which answers when a file is there. */
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
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
    name: 'wait',
    title: 'Wait',
    description: 'Answers as soon as the given file is there.',
    input: z.object({ file: z.string() }),
    run: async ({ file }, { log, signal }) => {
      log.info('waiting');
      while (
        !(await access(file).then(
          () => true,
          () => false,
        ))
      )
        await sleep(20, undefined, { signal });
      return 'waited';
    },
  }),
);
