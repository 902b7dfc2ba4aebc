/** What a tool may answer and show about itself, and that a list that depends on scopes is cached only for its user. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Content } from '../../src/mcp/content.ts';
import { defineTool, type Tool, ToolResult } from '../../src/mcp/tool.ts';
import { connectInMemory, type InMemoryConnection } from '../support/in-memory-mcp.ts';
import { ADA, startTestServer } from '../support/start-server.ts';
import { send, stateless } from '../support/raw-http.ts';

const connections: InMemoryConnection[] = [];
afterEach(async () => {
  await Promise.all(connections.splice(0).map(async (connection) => connection.close()));
});

/** Calls a tool. */
async function resultOf(tool: Tool): ReturnType<InMemoryConnection['call']> {
  const connection = await connectInMemory({ tools: [tool] });
  connections.push(connection);
  return connection.call(tool.name);
}

const FACE = { name: 'probe', title: 'Probe', description: 'Answers.', input: z.object({}) };
const SUM = z.object({ sum: z.number() });

const PIECES: readonly Content[] = [
  { type: 'text', text: 'see', annotations: { audience: ['user'], priority: 1 }, _meta: { a: 1 } },
  { type: 'image', data: 'aGk=', mimeType: 'image/png' },
  { type: 'audio', data: 'aGk=', mimeType: 'audio/wav' },
  {
    type: 'resource_link',
    uri: 'lesson://3',
    name: 'three',
    title: 'Three',
    description: 'The third lesson.',
    mimeType: 'text/markdown',
    size: 12,
    icons: [{ src: 'https://example.com/3.png', sizes: ['48x48'], theme: 'dark' }],
    annotations: { lastModified: '2026-01-01T00:00:00Z' },
  },
  { type: 'resource', resource: { uri: 'lesson://3', mimeType: 'text/markdown', text: '# Three' } },
  { type: 'resource', resource: { uri: 'lesson://4', blob: 'aGk=' } },
];

describe('a tool answers with', () => {
  test('every kind of content of the protocol', async () => {
    expect(await resultOf(defineTool({ ...FACE, run: () => PIECES }))).toEqual({ content: PIECES });
  });

  test('`_meta`', async () => {
    const answer = new ToolResult({ content: 'done', _meta: { 'example.com/a': { b: 1 } } });

    expect(await resultOf(defineTool({ ...FACE, run: () => answer }))).toEqual({
      content: [{ type: 'text', text: 'done' }],
      _meta: { 'example.com/a': { b: 1 } },
    });
  });

  test('a structure, and text of its own beside it', async () => {
    const answer = new ToolResult({ structured: { sum: 3 }, content: 'It is three.' });

    expect(await resultOf(defineTool({ ...FACE, output: SUM, run: () => answer }))).toEqual({
      content: [{ type: 'text', text: 'It is three.' }],
      structuredContent: { sum: 3 },
    });
  });

  test('a structure, which is also its text when it has none', async () => {
    const answer = new ToolResult({ structured: { sum: 3 }, _meta: { a: 1 } });

    expect(await resultOf(defineTool({ ...FACE, output: SUM, run: () => answer }))).toEqual({
      content: [{ type: 'text', text: '{"sum":3}' }],
      structuredContent: { sum: 3 },
      _meta: { a: 1 },
    });
  });

  test.each<{ what: string; run: () => unknown; output?: z.ZodObject }>([
    { what: 'an unknown kind of content', run: () => [{ type: 'video', data: '' }] },
    { what: 'an unknown field', run: () => [{ type: 'text', text: 'a', SECRET: 1 }] },
    { what: 'a resource without its content', run: () => [{ type: 'resource', resource: { uri: 'a:b' } }] },
    {
      what: 'bytes that are no base64',
      run: () => [{ type: 'image', data: 'SECRET!', mimeType: 'image/png' }],
    },
    {
      what: 'a structure that does not fit',
      output: SUM,
      run: () => new ToolResult({ structured: { sum: 'SECRET' }, content: 'three' }),
    },
    { what: 'words without the structure', output: SUM, run: () => new ToolResult({ content: 'three' }) },
  ])('an internal error for $what', async ({ run, output }) => {
    const face = { ...FACE, ...(output !== undefined && { output }) };
    // A fork's JavaScript may do what the types forbid.
    const result = await resultOf({ ...defineTool({ ...face, run: () => '' as never }), run });

    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^Internal/) }] });
    expect(JSON.stringify(result)).not.toContain('SECRET');
  });
});

test('the type of a result depends on the output schema', () => {
  defineTool({
    ...FACE,
    output: SUM,
    run: () => new ToolResult({ structured: { sum: 3 }, content: 'three' }),
  });
  // @ts-expect-error -- a structure of another shape does not compile
  defineTool({ ...FACE, output: SUM, run: () => new ToolResult({ structured: { sum: 'three' } }) });
  // @ts-expect-error -- nor does a result without anything
  const empty = new ToolResult({ _meta: {} });

  // `npm run typecheck` checks the lines above.
  expect(empty.content).toBeUndefined();
});

test('a tool is listed with its icons and its `_meta`', async () => {
  const icons = [{ src: 'https://example.com/a.svg', mimeType: 'image/svg+xml', sizes: ['any'] }];
  const tool = defineTool({ ...FACE, icons, _meta: { ui: { resourceUri: 'ui://a' } }, run: () => '' });
  const connection = await connectInMemory({ tools: [tool] });
  connections.push(connection);

  const { tools } = await connection.client.listTools();

  expect(tools).toMatchObject([{ name: 'probe', icons, _meta: { ui: { resourceUri: 'ui://a' } } }]);
});

test.each([
  { scope: 'math', kept: 'private' },
  { scope: undefined, kept: 'public' },
])(
  "a list that a feature declares public is $kept when the tool's scope is $scope",
  async ({ scope, kept }) => {
    const tool = defineTool({ ...FACE, ...(scope !== undefined && { scope }), run: () => '' });
    const cacheHints = { 'tools/list': { ttlMs: 5_000, cacheScope: 'public' } } as const;
    const server = await startTestServer({
      tools: [tool],
      features: [{ name: 'cache', options: { cacheHints } }],
    });

    const answer = await send(
      `${server.url}/mcp`,
      stateless({ method: 'tools/list' }, { id: 1, token: ADA }),
    );
    await server.close();

    expect(JSON.parse(answer.text)).toMatchObject({ result: { ttlMs: 5_000, cacheScope: kept } });
  },
);
