/** The tool `get_greeting`. */
import { describe, expect, test } from '@jest/globals';
import { getGreeting } from '../../src/tools/get-greeting.ts';
import { tools } from '../../src/tools/index.ts';
import { createToolContext } from '../support/tool-context.ts';

describe('get_greeting', () => {
  test('greets the user when no name is given', async () => {
    const input = getGreeting.input.parse({});

    expect(await getGreeting.run(input, createToolContext())).toBe('Hello, Ada Lovelace!');
  });

  test('greets by the user id when the user has no name', async () => {
    expect(await getGreeting.run({}, createToolContext({ user: { userId: 'ada' } }))).toBe('Hello, ada!');
  });

  test('greets the name that is given, and says for whom', async () => {
    const input = getGreeting.input.parse({ name: 'Zoë' });

    expect(await getGreeting.run(input, createToolContext())).toBe('Hello, Zoë! Ada Lovelace says hello.');
  });

  test.each(['x', 'x'.repeat(200), '世界 <b>'])('takes the name %j', (name) => {
    expect(getGreeting.input.safeParse({ name }).success).toBe(true);
  });

  test.each(['', 'x'.repeat(201), 5])('refuses the name %j', (name) => {
    expect(getGreeting.input.safeParse({ name }).success).toBe(false);
  });

  // Clients and suites that know no tool of a server try the first one, with nothing in it.
  test('is the first of the examples in the list, wherever tools of your own stand', () => {
    const examples = new Set(['get_greeting', 'echo_message', 'whoami']);

    expect(tools.find(({ name }) => examples.has(name))).toBe(getGreeting);
  });

  test('needs the scope "greet"', () => {
    expect(getGreeting.scope).toBe('greet');
  });
});
