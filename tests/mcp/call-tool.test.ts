/** One tool call: its input, its context, every way in which it can end, and its line in the log. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineTool, type Tool, type ToolContext, ToolError } from '../../src/mcp/tool.ts';
import { createHeldTool } from '../support/held-tool.ts';
import { connectInMemory, type InMemoryConnection, type InMemoryOptions } from '../support/in-memory-mcp.ts';
import type { LogLine } from '../support/memory-log.ts';
import { waitFor } from '../support/process.ts';

const connections: InMemoryConnection[] = [];
afterEach(async () => {
  await Promise.all(connections.splice(0).map(async (connection) => connection.close()));
});

/** Connects a client to a server with these tools. */
async function connect(
  tools: readonly Tool[],
  options: Omit<InMemoryOptions, 'tools'> = {},
): Promise<InMemoryConnection> {
  const connection = await connectInMemory({ tools, ...options });
  connections.push(connection);
  return connection;
}

/** A tool called `probe` with these parts. */
function probe(parts: {
  readonly input?: z.ZodObject;
  readonly scope?: string;
  readonly run: (input: Record<string, unknown>, context: ToolContext) => unknown;
}): Tool {
  const { input = z.object({}), run, ...rest } = parts;
  return defineTool({
    name: 'probe',
    title: 'Probe',
    description: 'Does what a test needs.',
    input,
    ...rest,
    run: async (given, context) => String(await run(given, context)),
  });
}

/** A tool that returns its input as JSON. */
function mirror(input: z.ZodObject): Tool {
  return probe({ input, run: (given) => JSON.stringify(given) });
}

/** A tool with an output schema that returns this value, valid or not. */
function structured(answer: unknown): Tool {
  return defineTool({
    name: 'sum',
    title: 'Sum',
    description: 'Returns a sum.',
    input: z.object({}),
    output: z.object({ sum: z.number(), unit: z.string().default('m') }),
    run: () => answer as { sum: number },
  });
}

/** A result with one text. */
function textResult(text: string, { isError = false }: { readonly isError?: boolean } = {}) {
  return { content: [{ type: 'text', text }], ...(isError && { isError }) };
}

/** The log lines of tool calls. */
function callLines(lines: readonly LogLine[]): LogLine[] {
  return lines.filter((line) => line['msg'] === 'tool call');
}

describe('the input of a call', () => {
  test('is what the schema parses it to', async () => {
    const { call } = await connect([
      mirror(z.object({ count: z.coerce.number().default(7), word: z.string().trim() })),
    ]);

    expect(await call('probe', { word: ' hi ', other: 1 })).toEqual(textResult('{"count":7,"word":"hi"}'));
    expect(await call('probe', { word: 'hi', count: '3' })).toEqual(textResult('{"count":3,"word":"hi"}'));
  });

  test('may be omitted for a tool that requires none', async () => {
    const { call } = await connect([mirror(z.object({ name: z.string().optional() }))]);

    expect(await call('probe')).toEqual(textResult('{}'));
  });

  test('may be null where it is optional, as strict function calling sends for omitted fields', async () => {
    const { call } = await connect([
      mirror(
        z.object({
          optional: z.string().optional(),
          withDefault: z.number().default(5),
          optionalObject: z.object({ a: z.string() }).optional(),
          required: z.string(),
        }),
      ),
    ]);

    const result = await call('probe', {
      optional: null,
      withDefault: null,
      optionalObject: null,
      required: 'x',
    });

    expect(result).toEqual(textResult('{"withDefault":5,"required":"x"}'));
  });

  test('stays null where the schema allows null', async () => {
    const { call } = await connect([
      mirror(z.object({ nullable: z.string().nullable(), nullish: z.string().nullish(), any: z.unknown() })),
    ]);

    const result = await call('probe', { nullable: null, nullish: null, any: null });

    expect(result).toEqual(textResult('{"nullable":null,"nullish":null,"any":null}'));
  });

  test('may not be null where it is required', async () => {
    const { call } = await connect([mirror(z.object({ required: z.string() }))]);

    expect(await call('probe', { required: null })).toMatchObject({
      isError: true,
      content: [{ text: expect.stringContaining('received null') }],
    });
  });

  test('that is invalid is refused with the tool and the field, and the tool does not run', async () => {
    let ran = false;
    const tool = probe({
      input: z.object({ count: z.number().max(3) }),
      run: () => {
        ran = true;
      },
    });
    const { call, lines } = await connect([tool]);

    const result = await call('probe', { count: 4 });

    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^Input validation error: .*tool probe.*count/s) }],
    });
    expect(ran).toBe(false);
    expect(callLines(lines)).toMatchObject([{ outcome: 'invalid_input' }]);
  });

  test('is an internal error when the schema itself throws, and what it threw stays in the log', async () => {
    const failing = z.string().transform((text) => {
      throw new Error(`SECRET ${text.length}`);
    });
    const { call, lines } = await connect([mirror(z.object({ word: failing }))]);

    const result = await call('probe', { word: 'hi' });

    expect(JSON.stringify(result)).not.toContain('SECRET');
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^Internal error \(request /) }],
    });
    expect(callLines(lines)).toMatchObject([{ outcome: 'internal_error' }]);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'tool failed' }));
  });
});

describe('the context of a call', () => {
  test('has the frozen user, the connection and a logger of the call', async () => {
    let seen: ToolContext | undefined;
    const tool = probe({
      run: (_input, context) => {
        seen = context;
        context.log.warn({ step: 1 }, 'from the tool');
      },
    });
    const { call, lines } = await connect([tool]);

    await call('probe');

    expect(seen?.user).toEqual({ userId: 'ada', name: 'Ada Lovelace', metadata: {} });
    expect(Object.isFrozen(seen?.user)).toBe(true);
    expect(seen?.connection).toEqual({ transport: 'streamable-http', protocolVersion: '2025-11-25' });
    expect(seen?.signal.aborted).toBe(false);
    const [line] = callLines(lines);
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'from the tool',
        step: 1,
        tool: 'probe',
        requestId: line?.['requestId'],
      }),
    );
  });

  test("has the user of the request's credential, not of the session's first one", async () => {
    const tool = probe({ scope: 'greet', run: (_input, { user }) => `${user.name} ${String(user.scopes)}` });
    const { call, actAs } = await connect([tool]);

    const first = await call('probe');
    actAs({ userId: 'ada', name: 'Countess', scopes: ['greet'] });
    const second = await call('probe');
    actAs({ userId: 'ada', name: 'Countess', scopes: [] });
    const third = await call('probe');

    expect(first).toEqual(textResult('Ada Lovelace undefined'));
    expect(second).toEqual(textResult('Countess greet'));
    expect(third).toMatchObject({ isError: true });
  });

  test('holds no token', async () => {
    let seen = '';
    const tool = probe({
      run: (_input, { user, connection }) => {
        seen = JSON.stringify({ user, connection });
      },
    });
    const { call } = await connect([tool]);

    await call('probe');

    expect(seen).not.toMatch(/token|0a1b2c3d/);
  });
});

describe('a call ends', () => {
  test('with the text that the tool returns', async () => {
    const { call } = await connect([probe({ run: () => 'done' })]);

    expect(await call('probe')).toEqual(textResult('done'));
  });

  test('with the content blocks that the tool returns', async () => {
    const blocks = [
      { type: 'text', text: 'see' },
      { type: 'image', data: 'aGk=', mimeType: 'image/png' },
      { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' },
    ] as const;
    const tool = defineTool({
      name: 'blocks',
      title: 'Blocks',
      description: 'Returns several blocks.',
      input: z.object({}),
      run: () => blocks,
    });
    const { call } = await connect([tool]);

    expect(await call('blocks')).toEqual({ content: blocks });
  });

  test("with a ToolError's text, for the model to read", async () => {
    const tool = probe({
      run: () => {
        throw new ToolError('There is no city called Atlantis.', { cause: new Error('SECRET') });
      },
    });
    const { call, lines } = await connect([tool]);

    const result = await call('probe');

    expect(result).toEqual(textResult('There is no city called Atlantis.', { isError: true }));
    expect(callLines(lines)).toMatchObject([{ outcome: 'tool_error' }]);
    expect(lines.filter((line) => line['level'] === 'error')).toEqual([]);
  });

  test.each<{ what: string; thrown: unknown }>([
    { what: 'an error', thrown: new Error('SECRET at /etc/passwd') },
    {
      what: 'an error that looks like a ToolError',
      thrown: Object.assign(new Error('SECRET'), { name: 'ToolError' }),
    },
    { what: 'a text', thrown: 'SECRET' },
    { what: 'an object', thrown: { message: 'SECRET' } },
    { what: 'nothing', thrown: undefined },
  ])(
    'with "Internal error" and the request id when the tool throws $what, which only the log shows',
    async ({ thrown }) => {
      const tool = probe({
        run: () => {
          throw thrown;
        },
      });
      const { call, lines } = await connect([tool]);

      const result = await call('probe');

      const [line] = callLines(lines);
      expect(line).toMatchObject({
        outcome: 'internal_error',
        requestId: expect.stringMatching(/^request-\d+$/),
      });
      expect(result).toEqual(
        textResult(`Internal error (request ${String(line?.['requestId'])}).`, { isError: true }),
      );
      const failure = lines.find(({ msg }) => msg === 'tool failed');
      expect(failure).toMatchObject({ level: 'error', tool: 'probe', requestId: line?.['requestId'] });
      expect(JSON.stringify(failure)).toContain(thrown === undefined ? 'tool failed' : 'SECRET');
    },
  );

  test.each<{ what: string; answer: unknown }>([
    { what: 'undefined', answer: undefined },
    { what: 'null', answer: null },
    { what: 'number', answer: 5 },
    { what: 'object', answer: { content: 'SECRET' } },
  ])(
    'with "Internal error" for an answer that is $what, and the log says what run returns',
    async ({ what, answer }) => {
      const { call, lines } = await connect([{ ...probe({ run: () => '' }), run: () => answer }]);

      const result = await call('probe');

      const message = `probe returned ${what}. Without an output schema, run returns a text, a list of content, or a ToolResult.`;
      expect(result).toMatchObject({ isError: true });
      expect(lines.find(({ msg }) => msg === 'tool failed')).toMatchObject({ err: { message } });
      expect(JSON.stringify([result, lines])).not.toContain('SECRET');
    },
  );

  test('with insufficient_scope when the user lacks the scope, and the tool does not run', async () => {
    let ran = false;
    const tool = probe({
      scope: 'admin',
      run: () => {
        ran = true;
      },
    });
    const { call, lines } = await connect([tool], { user: { userId: 'ada', scopes: ['greet'] } });

    const result = await call('probe');

    expect(result).toMatchObject({
      isError: true,
      content: [{ text: expect.stringMatching(/^insufficient_scope: .*probe.*"admin"/) }],
    });
    expect(ran).toBe(false);
    expect(callLines(lines)).toMatchObject([{ outcome: 'insufficient_scope' }]);
  });

  test('with a protocol error when the tool does not exist', async () => {
    const { call } = await connect([probe({ run: () => '' })]);

    await expect(call('nothing')).rejects.toMatchObject({ code: -32_602 });
    await expect(call('__proto__')).rejects.toMatchObject({ code: -32_602 });
  });
});

describe('structured output', () => {
  test('is the parsed answer, as structuredContent and as text', async () => {
    const { call } = await connect([structured({ sum: 3 })]);

    expect(await call('sum')).toEqual({
      content: [{ type: 'text', text: '{"sum":3,"unit":"m"}' }],
      structuredContent: { sum: 3, unit: 'm' },
    });
  });

  test('leaves out fields that the schema does not have', async () => {
    const { call } = await connect([structured({ sum: 3, password: 'SECRET' })]);

    expect(JSON.stringify(await call('sum'))).not.toContain('SECRET');
  });

  test.each([{ sum: 'SECRET' }, 'SECRET', undefined])(
    'that is invalid is an internal error, not a wrong answer: %j',
    async (answer) => {
      const { call, lines } = await connect([structured(answer)]);

      const result = await call('sum');

      expect(result).toMatchObject({
        isError: true,
        content: [{ text: expect.stringMatching(/^Internal error/) }],
      });
      expect(result.structuredContent).toBeUndefined();
      expect(JSON.stringify(result)).not.toContain('SECRET');
      expect(callLines(lines)).toMatchObject([{ outcome: 'internal_error' }]);
    },
  );
});

describe('progress', () => {
  const steps = probe({
    run: async (_input, { progress }) => {
      await progress(1);
      await progress(2, 4);
      await progress(4, 4, 'nearly done');
      return 'done';
    },
  });

  test('reaches a client that requests it, in order and before the answer', async () => {
    const { call } = await connect([steps]);
    const heard: unknown[] = [];

    await call('probe', {}, { onprogress: (progress) => heard.push(progress) });

    expect(heard).toEqual([
      { progress: 1 },
      { progress: 2, total: 4 },
      { progress: 4, total: 4, message: 'nearly done' },
    ]);
  });

  test('that does not increase, or is no number, is not sent, as the specification requires', async () => {
    const back = probe({
      run: async (_input, { progress }) => {
        for (const done of [1, 1, 0.5, NaN, 2, Infinity, 3]) await progress(done);
        return 'done';
      },
    });
    const { call } = await connect([back]);
    const heard: unknown[] = [];

    await call('probe', {}, { onprogress: (progress) => heard.push(progress) });

    expect(heard).toEqual([{ progress: 1 }, { progress: 2 }, { progress: 3 }]);
  });

  test('does nothing when the client did not request it', async () => {
    const { call, sent } = await connect([steps]);

    const result = await call('probe');

    expect(result).toEqual(textResult('done'));
    expect(sent.filter((message) => 'method' in message)).toEqual([]);
  });
});

describe('a cancelled call', () => {
  test('has its signal aborted, and is logged as cancelled whatever the tool returns', async () => {
    const held = createHeldTool();
    const { call, lines } = await connect([held.tool]);
    const abort = new AbortController();

    const calling = call('hold', {}, { signal: abort.signal });
    await held.untilWaiting(1);
    abort.abort();

    await expect(calling).rejects.toThrow(/abort/i);
    await waitFor('the line of the call', () => callLines(lines)[0]);
    expect(held.aborted).toBe(1);
    expect(callLines(lines)).toMatchObject([{ tool: 'hold', outcome: 'cancelled' }]);
  });

  test('whose tool throws because of that is logged as cancelled, not as a failure', async () => {
    let begun = false;
    const tool = probe({
      run: async (_input, { signal, progress }) => {
        begun = true;
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }).catch(async (error: unknown) => {
          await progress(1);
          throw error;
        });
      },
    });
    const { call, lines } = await connect([tool]);
    const abort = new AbortController();

    const calling = call('probe', {}, { signal: abort.signal, onprogress: () => undefined });
    await waitFor('the call', () => begun);
    abort.abort();

    await expect(calling).rejects.toThrow(/abort/i);
    await waitFor('the line of the call', () => callLines(lines)[0]);
    expect(callLines(lines)).toMatchObject([{ outcome: 'cancelled' }]);
    expect(lines.filter((line) => line['level'] === 'error')).toEqual([]);
  });

  test('does not affect other calls', async () => {
    const held = createHeldTool();
    const { call, lines } = await connect([held.tool]);
    const abort = new AbortController();
    const cancelled = call('hold', {}, { signal: abort.signal });
    const other = call('hold');
    await held.untilWaiting(2);

    abort.abort();
    await expect(cancelled).rejects.toThrow(/abort/i);
    await held.untilWaiting(1);
    held.release();

    expect(await other).toEqual(textResult('held'));
    expect(callLines(lines).map((line) => line['outcome'])).toEqual(['cancelled', 'ok']);
  });
});

describe('the calls of a user in flight', () => {
  test('are limited, with an error for the model, and do not affect other users', async () => {
    const held = createHeldTool();
    const { call, actAs, lines } = await connect([held.tool], { maxCallsPerUser: 2 });
    const running = [call('hold'), call('hold')];
    await held.untilWaiting(2);

    const refused = await call('hold');
    actAs({ userId: 'bob' });
    running.push(call('hold'));
    await held.untilWaiting(3);
    held.release();
    await Promise.all(running);
    actAs({ userId: 'ada' });
    const after = call('hold');
    await held.untilWaiting(1);
    held.release();

    expect(refused).toEqual(
      textResult(
        'too_many_calls: 2 calls of this user are running. Wait until one has ended, then call again.',
        { isError: true },
      ),
    );
    expect(await after).toEqual(textResult('held'));
    expect(callLines(lines)[0]).toMatchObject({ userId: 'ada', outcome: 'too_many_calls' });
  });

  test('count until their tool has ended, also after a cancellation', async () => {
    const held = createHeldTool({ ignoresAbort: true });
    const { call } = await connect([held.tool], { maxCallsPerUser: 1 });
    const abort = new AbortController();
    const cancelled = call('hold', {}, { signal: abort.signal });
    await held.untilWaiting(1);

    abort.abort();
    await expect(cancelled).rejects.toThrow(/abort/i);
    const during = await call('hold');
    held.release();
    const after = call('hold');
    await held.untilWaiting(1);
    held.release();

    expect(during).toMatchObject({ isError: true });
    expect(await after).toEqual(textResult('held'));
  });
});

describe('the log line of a call', () => {
  test('names the user, the tool, the transport, the outcome and the duration', async () => {
    const { call, lines } = await connect([probe({ run: () => 'done' })]);

    await call('probe');

    expect(callLines(lines)).toEqual([
      {
        level: 'info',
        time: expect.any(Number),
        requestId: expect.stringMatching(/^request-\d+$/),
        userId: 'ada',
        tokenId: '0a1b2c3d',
        tool: 'probe',
        transport: 'streamable-http',
        outcome: 'ok',
        durationMs: expect.any(Number),
        msg: 'tool call',
      },
    ]);
  });

  test.each(['ok', 'tool_error', 'internal_error', 'invalid_input'])(
    'holds neither arguments nor answers when the outcome is %s',
    async (outcome) => {
      const tool = probe({
        input: z.object({ secret: z.string().max(40) }),
        run: ({ secret }) => {
          if (outcome === 'tool_error') throw new ToolError(String(secret));
          if (outcome === 'internal_error') throw new Error('failed');
          return secret;
        },
      });
      const { call, lines } = await connect([tool]);

      await call('probe', { secret: 'SECRET'.repeat(outcome === 'invalid_input' ? 10 : 1) });

      expect(callLines(lines)).toMatchObject([{ outcome }]);
      expect(JSON.stringify(lines)).not.toContain('SECRET');
    },
  );
});
