/**
 * An entry like those of `src`, for processes under test: it runs the build with the fixture tools, whatever a fork offers.
 * Arguments: `http` or `stdio`, and the names of tools that it offers besides, such as `wait`.
 */
import { access } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { defineTool, fixtureTools } from '../../lab/fixture/tools.mjs';

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

/** Makes a span of its own, where there is OpenTelemetry, and says what it hands to outside calls. */
const outside = defineTool({
  name: 'outside',
  title: 'Outside',
  description: 'Makes a span, and returns the headers of outside calls.',
  input: z.object({}),
  run: async (_input, { traceHeaders }) => {
    const { trace } = await import('@opentelemetry/api');
    trace.getTracer('a fork').startActiveSpan('own work', (span) => span.end());
    return JSON.stringify(traceHeaders);
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

const [transport, ...names] = process.argv.slice(2);
const others = [wait, explode, outside].filter(({ name }) => names.includes(name));
const definition = { tools: [...fixtureTools, ...others] };
// By its address: `dist` need not be there when types are checked.
const { runServer, runStdio } = /** @type {typeof import('../../lab/fixture/engine.ts')} */ (
  await import(new URL('../../dist/lab/fixture/engine.js', import.meta.url).href)
);
await (transport === 'stdio' ? runStdio : runServer)(definition, process.env);
