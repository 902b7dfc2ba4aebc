/** The list of tools: their order, and what every one of them must tell about itself. */
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { tools } from '../../src/tools/index.ts';

/** The properties of a tool's input as clients see them. */
function propertiesOf(input: z.ZodObject): [string, { description?: string }][] {
  const { properties = {} } = z.toJSONSchema(input, { io: 'input' }) as {
    properties?: Record<string, { description?: string }>;
  };
  return Object.entries(properties);
}

test('the greeting comes first, since many clients try the first tool', () => {
  expect(tools.map(({ name }) => name)).toEqual(['get_greeting', 'echo_message', 'whoami']);
});

test('no two tools have the same name', () => {
  expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
});

describe.each(tools.map((tool) => ({ name: tool.name, tool })))('$name', ({ tool }) => {
  test('has a title and says in a sentence what it does', () => {
    expect(tool.title).toMatch(/\S/);
    expect(tool.description).toMatch(/^[A-Z].{20,}\.$/);
  });

  test('describes every input that a model could misread', () => {
    for (const [name, { description }] of propertiesOf(tool.input)) {
      expect({ name, description }).toEqual({ name, description: expect.stringMatching(/\S/) });
    }
  });

  test('says that it only reads', () => {
    expect(tool.annotations).toMatchObject({ readOnlyHint: true });
  });
});
