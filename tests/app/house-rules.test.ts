/** What every tool of `src/tools` tells about itself, whatever tools there are: clients and models go by it. */
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { tools } from '../../src/tools/index.ts';

/** What is missing, each with the tool it is missing from. */
function missing(find: (tool: (typeof tools)[number]) => readonly string[]): string[] {
  return tools.flatMap((tool) => find(tool).map((what) => `${tool.name}: ${what}`));
}

test('every tool has a name of its own, in the characters that every client takes', () => {
  const names = tools.map(({ name }) => name);

  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.filter((name) => !/^[A-Za-z0-9_.-]{1,64}$/.test(name))).toEqual([]);
});

test('every tool has a title, and says what it does', () => {
  expect(missing(({ title }) => (/\S/.test(title) ? [] : ['no title']))).toEqual([]);
  expect(missing(({ description }) => (/\S+\s+\S+/.test(description) ? [] : ['no description']))).toEqual([]);
});

test('every input says what it means', () => {
  const undescribed = missing(({ input }) => {
    const { properties = {} } = z.toJSONSchema(input, { io: 'input' });
    return Object.entries(properties).flatMap(([name, schema]) =>
      typeof schema === 'object' && /\S/.test(schema.description ?? '') ? [] : [`input ${name}`],
    );
  });

  expect(undescribed).toEqual([]);
});

test('every tool says whether it only reads, or whether it may destroy something', () => {
  const silent = missing(({ annotations: { readOnlyHint, destructiveHint } = {} }) =>
    readOnlyHint === undefined && destructiveHint === undefined ? ['neither hint'] : [],
  );

  expect(silent).toEqual([]);
});
