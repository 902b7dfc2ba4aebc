/** Tools with limits of their own: a timeout, and a number of concurrent calls. */
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineTool, type Tool, type ToolContext, ToolError } from '../../src/mcp/tool.ts';
import { connectInMemory, type InMemoryConnection, type InMemoryOptions } from '../support/in-memory-mcp.ts';
import { waitFor } from '../support/process.ts';

const connections: InMemoryConnection[] = [];
afterEach(async () => {
  await Promise.all(connections.splice(0).map(async (connection) => connection.close()));
});

/** Connects a client to a server with one tool. */
async function connect(
  tool: Tool,
  options: Omit<InMemoryOptions, 'tools'> = {},
): Promise<InMemoryConnection> {
  const connection = await connectInMemory({ tools: [tool], ...options });
  connections.push(connection);
  return connection;
}

/** A tool called `work`, with these limits. */
function limited(
  limits: { readonly timeoutMs?: number; readonly concurrency?: number },
  run: (input: { readonly name?: string | undefined }, context: ToolContext) => string | Promise<string>,
): Tool {
  const face = { name: 'work', title: 'Work', description: 'Works for a while.' };
  return defineTool({ ...face, input: z.object({ name: z.string().optional() }), ...limits, run });
}

/** A promise, and the function that resolves it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  const emitter = new EventEmitter();
  const opened = once(emitter, 'open').then(() => undefined);
  return { opened, open: () => void emitter.emit('open') };
}

/** Resolves when a signal is aborted. */
async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** The outcomes of the calls that have been logged. */
function outcomes({ lines }: InMemoryConnection): unknown[] {
  return lines.filter(({ msg }) => msg === 'tool call').map(({ outcome }) => outcome);
}

const TOO_LATE =
  'timeout: after 0.02 seconds the call of work had not ended and was given up. Try again later, or ask for less.';

describe('a tool with a timeout', () => {
  test('answers as usual in time, and its signal is not aborted', async () => {
    let seen: AbortSignal | undefined;
    const connection = await connect(
      limited({ timeoutMs: 2 ** 31 - 1 }, (_input, { signal }) => {
        seen = signal;
        return 'done';
      }),
    );

    expect(await connection.call('work')).toEqual({ content: [{ type: 'text', text: 'done' }] });
    expect(seen?.aborted).toBe(false);
    expect(outcomes(connection)).toEqual(['ok']);
  });

  test('is given up with an error for the model, its signal aborted and the outcome "timeout"', async () => {
    let reason: unknown;
    const connection = await connect(
      limited({ timeoutMs: 20 }, async (_input, { signal }) => {
        await aborted(signal);
        reason = signal.reason as unknown;
        throw new ToolError('stopped');
      }),
    );

    expect(await connection.call('work')).toEqual({
      content: [{ type: 'text', text: TOO_LATE }],
      isError: true,
    });
    expect(outcomes(connection)).toEqual(['timeout']);
    expect(reason).toMatchObject({ name: 'LimitReached' });
    expect(connection.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('is given up also when it ignores the signal, and counts as in flight until it has ended', async () => {
    const { opened, open } = gate();
    let runs = 0;
    const connection = await connect(
      limited({ timeoutMs: 20 }, async () => {
        runs += 1;
        await opened;
        return 'late';
      }),
      { maxCallsPerUser: 1 },
    );

    const first = await connection.call('work');
    const meanwhile = await connection.call('work');
    open();
    await opened;
    const after = await connection.call('work');

    expect([first, meanwhile, after]).toMatchObject([
      { content: [{ text: TOO_LATE }] },
      { content: [{ text: expect.stringMatching(/^too_many_calls/) }] },
      { content: [{ text: 'late' }] },
    ]);
    expect(runs).toBe(2);
  });

  test('is aborted by a cancellation too, which is logged as cancelled', async () => {
    const begun = gate();
    let ended = false;
    const connection = await connect(
      limited({ timeoutMs: 2 ** 31 - 1 }, async (_input, { signal }) => {
        begun.open();
        await aborted(signal);
        ended = true;
        return 'stopped';
      }),
    );
    const abort = new AbortController();

    const calling = connection.call('work', {}, { signal: abort.signal });
    await begun.opened;
    abort.abort();

    await expect(calling).rejects.toThrow(/abort/i);
    await waitFor('the end of the tool', () => ended);
    await waitFor('the line of the call', () => outcomes(connection).length > 0);
    expect(outcomes(connection)).toEqual(['cancelled']);
  });

  test('is given up and its signal aborted although a garbage collection has happened meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let heard = false;
    const connection = await connect(
      limited({ timeoutMs: 1_000 }, async (_input, { signal }) => {
        signal.addEventListener('abort', () => (heard = true));
        await nextTurn();
        collect();
        return new Promise<string>(() => {});
      }),
    );

    const result = await connection.call('work');

    expect(result).toMatchObject({ isError: true });
    expect(heard).toBe(true);
  });
});

/** A tool whose runs end when they are told to by name, and the names of those that run. */
function createWork(concurrency: number, timeoutMs?: number) {
  const running = new Map<string, () => void>();
  let most = 0;
  const tool = limited(
    { concurrency, ...(timeoutMs !== undefined && { timeoutMs }) },
    async ({ name = '' }) => {
      const { opened, open } = gate();
      running.set(name, open);
      most = Math.max(most, running.size);
      await opened;
      running.delete(name);
      return name;
    },
  );
  return { tool, running, most: () => most };
}

describe('a tool with a concurrency', () => {
  test('runs so many calls at once; the others wait, and users take turns', async () => {
    const { tool, running, most } = createWork(2);
    const connection = await connect(tool);
    const order: string[] = [];
    const start = (name: string): Promise<unknown> =>
      connection.call('work', { name }).then(() => order.push(name));

    const calls = ['a1', 'a2', 'a3', 'a4'].map(start);
    await waitFor('two runs', () => running.size === 2);
    connection.actAs({ userId: 'bob' });
    calls.push(start('b1'));
    // Answers come in the order of the requests that need no place: once this one is answered, the queue is complete.
    await connection.client.ping();
    for (const name of ['a1', 'a3', 'b1', 'a2', 'a4']) {
      await waitFor(`the run of ${name}`, () => running.get(name));
      running.get(name)?.();
    }
    await Promise.all(calls);

    expect(order).toEqual(['a1', 'a3', 'b1', 'a2', 'a4']);
    expect(most()).toBe(2);
  });

  test('lets no call wait longer than its timeout, and one that has timed out takes no place', async () => {
    const { tool, running } = createWork(1, 20);
    const connection = await connect(tool);

    const first = connection.call('work', { name: 'a' });
    const second = connection.call('work', { name: 'b' });
    const answers = await Promise.all([first, second]);
    running.get('a')?.();
    const third = connection.call('work', { name: 'c' });
    await waitFor('the third run', () => running.get('c'));
    running.get('c')?.();
    await third;

    expect(answers[0]).toMatchObject({ isError: true, content: [{ text: TOO_LATE }] });
    expect(answers[1]).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('had not begun') }],
    });
    expect([...running.keys()]).toEqual([]);
  });

  test('removes a call that is cancelled while it waits, and lets the next one run', async () => {
    const { tool, running } = createWork(1);
    const connection = await connect(tool);
    const abort = new AbortController();
    const first = connection.call('work', { name: 'a' });
    const cancelled = connection.call('work', { name: 'b' }, { signal: abort.signal });
    const last = connection.call('work', { name: 'c' });
    await waitFor('the first run', () => running.get('a'));
    await connection.client.ping();

    abort.abort();
    await expect(cancelled).rejects.toThrow(/abort/i);
    await waitFor('the line of the cancelled call', () => outcomes(connection).length > 0);
    running.get('a')?.();
    await waitFor('the last run', () => running.get('c'));
    running.get('c')?.();
    await Promise.all([first, last]);

    expect(outcomes(connection)).toEqual(['cancelled', 'ok', 'ok']);
  });
});

test.each([
  { timeoutMs: 0 },
  { timeoutMs: -1 },
  { timeoutMs: Number.NaN },
  { timeoutMs: 2 ** 31 },
  { concurrency: 0 },
  { concurrency: 1.5 },
])('a tool with %j is refused by defineTool', (limits) => {
  expect(() => limited(limits, () => '')).toThrow(/^work: (timeoutMs|concurrency) must be/);
});
