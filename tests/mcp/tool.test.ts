/** defineTool: what it keeps of a definition, what it refuses, and the types that it gives to `run`. */
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { UserContext } from '../../src/auth/user.ts';
import { defineTool, type ToolContext, ToolError } from '../../src/mcp/tool.ts';
import { createMemoryLog } from '../support/memory-log.ts';
import { createToolContext } from '../support/tool-context.ts';

/** Fails as a tool may. */
function fail(): never {
  throw new ToolError('No such file.');
}

/** The parts of a definition that do not matter here. */
const FACE = {
  name: 'a_tool',
  title: 'A tool',
  description: 'Does something.',
  input: z.object({}),
} as const;

describe('a definition', () => {
  test('is kept unchanged, with everything that describes the tool', () => {
    const output = z.object({ sum: z.number() });
    const definition = {
      ...FACE,
      output,
      scope: 'add',
      annotations: { readOnlyHint: true, idempotentHint: true },
      run: () => ({ sum: 3 }),
    };

    const { run, ...face } = defineTool(definition);

    const { run: _run, ...told } = definition;
    expect(face).toEqual(told);
    expect(run).toBeInstanceOf(Function);
  });

  test('may use its own members in run', async () => {
    const tool = defineTool({
      ...FACE,
      run() {
        return `I am ${this.name}.`;
      },
    });

    expect(await tool.run({}, createToolContext())).toBe('I am a_tool.');
  });

  test.each(['a', 'get_greeting', 'a-b.c_D9', 'x'.repeat(64)])('may be called %s', (name) => {
    expect(defineTool({ ...FACE, name, run: () => '' }).name).toBe(name);
  });

  test.each(['', 'x'.repeat(65), 'get greeting', 'grüße', 'a/b', 'a\n', 'tool!'])(
    'may not be called %j, which some clients would refuse',
    (name) => {
      expect(() => defineTool({ ...FACE, name, run: () => '' })).toThrow(
        `${JSON.stringify(name)}. It takes 1 to 64`,
      );
    },
  );
});

describe('run', () => {
  test('gets the input and the context unchanged', async () => {
    const seen: unknown[] = [];
    const tool = defineTool({
      ...FACE,
      input: z.object({ a: z.number() }),
      run: (...args) => {
        seen.push(...args);
        return 'done';
      },
    });
    const [input, context] = [{ a: 1 }, createToolContext()];

    const answer = await tool.run(input, context);

    expect(answer).toBe('done');
    expect(seen[0]).toBe(input);
    expect(seen[1]).toBe(context);
  });

  test('can be tested with its progress, its log and a call that is cancelled', async () => {
    const tool = defineTool({
      ...FACE,
      run: async (_input, { signal, progress, log }) => {
        await progress(1, 2, 'half');
        log.info('half done');
        await progress(2, 2);
        signal.throwIfAborted();
        return 'done';
      },
    });
    const [abort, reports, { log, lines }] = [new AbortController(), [] as unknown[], createMemoryLog()];
    const progress: ToolContext['progress'] = async (...report) => {
      reports.push(report);
      if (reports.length === 2) abort.abort();
    };

    const running = async () => tool.run({}, createToolContext({ signal: abort.signal, progress, log }));

    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(reports).toEqual([
      [1, 2, 'half'],
      [2, 2],
    ]);
    expect(lines).toMatchObject([{ msg: 'half done' }]);
  });

  test('rejects when it throws, whether it is asynchronous or not', async () => {
    const tools = [
      defineTool({ ...FACE, run: () => fail() }),
      defineTool({ ...FACE, run: async () => fail() }),
    ];

    for (const tool of tools) {
      await expect(async () => tool.run({}, createToolContext())).rejects.toThrow(
        new ToolError('No such file.'),
      );
    }
  });

  test('is typed by its schemas: input, defaults, answer and user', () => {
    const typed = defineTool({
      ...FACE,
      input: z.object({ count: z.number().default(1), word: z.string().optional() }),
      output: z.object({ total: z.number() }),
      run: ({ count, word }, { user }) => {
        const exactCount: number = count;
        const exactWord: string | undefined = word;
        const exactUser: UserContext = user;
        // @ts-expect-error -- the user context is read-only
        const rename = (): unknown => (exactUser.name = 'Eve');
        return { total: exactCount + (exactWord?.length ?? 0) + rename.length };
      },
    });
    defineTool({
      ...FACE,
      output: z.object({ total: z.number() }),
      // @ts-expect-error -- with an output schema, an answer of another shape does not compile
      run: () => ({ total: 'three' }),
    });
    // @ts-expect-error -- without an output schema, an answer is text or content blocks
    defineTool({ ...FACE, run: () => ({ total: 3 }) });
    defineTool({
      ...FACE,
      input: z.object({ a: z.number() }),
      // @ts-expect-error -- input that the schema does not have is not there
      run: ({ missing }) => String(missing),
    });

    // `npm run typecheck` checks the lines above.
    expect(typed.name).toBe('a_tool');
  });
});

test('a ToolError has a name of its own and keeps its cause', () => {
  const cause = new Error('ENOENT');

  const error = new ToolError('No such file.', { cause });

  expect(error).toMatchObject({ name: 'ToolError', message: 'No such file.', cause });
  expect(error).toBeInstanceOf(Error);
});

test('an answer may be made of readonly values, as a database and constants are', async () => {
  const ids: readonly string[] = ['ink'];
  const tool = defineTool({
    name: 'list',
    title: 'List',
    description: 'Lists what there is.',
    input: z.object({}),
    output: z.object({ ids: z.array(z.string()), pages: z.array(z.object({ lines: z.array(z.number()) })) }),
    run: () => ({ ids, pages: [{ lines: [1, 2] as const }] }),
  });

  expect(await tool.run({}, createToolContext())).toEqual({
    ids: ['ink'],
    pages: [{ lines: [1, 2] }],
  });
});
