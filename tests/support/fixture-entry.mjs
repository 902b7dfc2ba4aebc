/**
 * An entry like those of `src`, for processes under test: it runs the build with the fixture tools, whatever a fork offers.
 * Arguments: the names of the tools that it offers besides, such as `wait`.
 */
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool, fixtureTools } from './fixture-tools.mjs';

/** Answers as soon as the given file is there: a call that is in flight for as long as a test wants. */
const wait = defineTool({
  name: 'wait',
  title: 'Wait',
  description: 'Answers as soon as the given file is there.',
  input: z.object({ file: z.string() }),
  run: async ({ file }, { log, signal }) => {
    log.info('waiting');
    while (!(await exists(file))) await sleep(20, undefined, { signal });
    return 'waited';
  },
});

/** Answers, and then throws where nobody waits. */
const explode = defineTool({
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
});

/**
 * Whether a file is there.
 *
 * @param {string} file
 */
const exists = (file) =>
  access(file).then(
    () => true,
    () => false,
  );

// By its address, with the types of its source: `dist` need not be there when types are checked.
const { runServer } = /** @type {typeof import('../../src/server/run-server.ts')} */ (
  await import(new URL('../../dist/src/server/run-server.js', import.meta.url).href)
);

const others = [wait, explode].filter(({ name }) => process.argv.includes(name));
await runServer({ tools: [...fixtureTools, ...others], features: [] }, process.env);
