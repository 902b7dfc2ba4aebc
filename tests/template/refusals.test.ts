/** The sentences of docs/05_CLIENT_SETUP.md are those of the code, and its table of clients is what real clients show. */
import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { findModernNode } from '../../scripts/modern-node.ts';
import { type ClientId, renderClient } from '../../src/connect/clients.ts';
import { createFailureCounter } from '../../src/http/gate/rate-limit.ts';
import { type ClientKind, connectClient } from '../support/clients.ts';
import { between, inlineCodeOf, readDocument, tableRowsOf } from './documents.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';
import { send } from '../support/raw-http.ts';
import { hasTime } from '../support/reduced.mjs';
import { ADA, startTestServer, type TestServer, TOKENS } from '../support/start-server.ts';

const WRONG = 'tok_wrong_0123456789';
const FUTURE = 'tok_future_0123456789';

const sandbox = createSandbox();
let text: string;
let modernNode: string;
let server: TestServer;
let open: TestServer;
// The tests of CI need a Node that npm may have to download first.
beforeAll(async () => {
  ({ text } = await readDocument('docs/05_CLIENT_SETUP.md'));
  const tokens = { ...TOKENS, [FUTURE]: { userId: 'later', notBefore: '2999-01-01T00:00:00Z' } };
  server = await startTestServer({ tokens, env: { AUTH_FAILURES_PER_MINUTE: '1000' } });
  open = await startTestServer({ env: { AUTH_ENABLED: 'false' } });
  modernNode = hasTime ? await findModernNode() : process.execPath;
}, 180_000);
afterAll(async () => {
  await Promise.all([server.close(), open.close()]);
  await sandbox.close();
});

/** The strings in a source file that are sentences, as a client gets them. */
async function sentencesIn(file: string): Promise<string[]> {
  const tree = ts.createSourceFile(
    file,
    await readFile(path.join(ROOT, file), 'utf8'),
    ts.ScriptTarget.ES2023,
  );
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && /^[A-Z].* .*\.$/.test(node.text))
      found.push(node.text.replaceAll('"', "'"));
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** The sentences that the document lists. */
function documentedSentences(): string[] {
  const table = between(text, '<!-- refusals:', '<!-- end of refusals -->');
  return tableRowsOf(table).map(([first = '']) => first.replaceAll('`', ''));
}

/** What a body of the server says. */
function descriptionOf({ body }: { readonly body: unknown }): string {
  return (body as { error_description: string }).error_description;
}

/** What a client shows, as the document has it: with `…` for what is left out. */
function documentedFor(client: string): string {
  const row = tableRowsOf(between(text, '## What each client shows', '**mcp-remote**')).find(
    ([first]) => first === client,
  );
  if (row === undefined) throw new Error(`The document has no row for ${client}.`);
  return (row[2] ?? '').replace(/^`|`$/g, '');
}

/** Matches a text in which `…` stands for anything. */
function withGaps(pattern: string): RegExp {
  return new RegExp(pattern.split('…').map(escapeForRegExp).join('[^]*'));
}

/** A text as a pattern of itself. */
function escapeForRegExp(words: string): string {
  return words.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

describe('the sentences of a refusal', () => {
  test('in the document are exactly those of the code', async () => {
    const sources = await Promise.all(
      ['src/auth/authenticate.ts', 'src/auth/credential.ts'].map(sentencesIn),
    );

    expect(sources.every((found) => found.length >= 5)).toBe(true);
    expect(documentedSentences().toSorted()).toEqual(sources.flat().toSorted());
  });

  test.each<[string, Record<string, string>]>([
    ['No credential', {}],
    ['No credential', { Authorization: 'Basic YTpi' }],
    ['unknown', { Authorization: `Bearer ${WRONG}` }],
    ['placeholder', { Authorization: 'Bearer YOUR_TOKEN' }],
    ['expired', { Authorization: 'Bearer tok_expired_0123456789' }],
    ['not valid yet', { Authorization: `Bearer ${FUTURE}` }],
    ['disabled', { Authorization: 'Bearer tok_disabled_0123456789' }],
    ['must read', { Authorization: ADA }],
    ['must read', { Authorization: '${AUTH_HEADER}' }],
    ['two different', { Authorization: `Bearer ${ADA}`, 'x-api-key': WRONG }],
    ['is empty', { Authorization: 'Bearer' }],
    ['is empty', { 'x-api-key': '' }],
    ['twice', { Authorization: `Bearer Bearer ${ADA}` }],
    ['twice', { 'x-api-key': `Bearer ${ADA}` }],
    ['variable', { Authorization: 'Bearer ${NAME}' }],
    ['variable', { Authorization: 'Bearer $NAME' }],
    ['variable', { Authorization: 'Bearer %NAME%' }],
    ['encrypted', { Authorization: `Bearer __encrypted__:${ADA}` }],
    ['quotes or brackets', { Authorization: `Bearer "${ADA}"` }],
    ['quotes or brackets', { Authorization: `Bearer <${ADA}>` }],
    ['a space or a character', { Authorization: `Bearer ${ADA} x` }],
  ])('have the documented cause: %s for %j', async (words, headers) => {
    const answer = await send(`${server.url}/tools`, { headers, method: 'GET' });

    expect(answer.status).toBe(401);
    expect(documentedSentences().filter((sentence) => sentence.includes(words))).toEqual([
      descriptionOf(answer),
    ]);
  });

  test('are followed at /register by the documented advice', async () => {
    const advice = inlineCodeOf(between(text, '<!-- advice -->', '<!-- end of advice -->'));
    const answers = await Promise.all([
      register(server.url, {}),
      register(server.url, { Authorization: `Bearer ${WRONG}` }),
      register(server.url, { Authorization: `Bearer ${ADA}` }),
      register(open.url, {}),
    ]);

    const sentences = advice.filter((code) => code.endsWith('.'));
    expect(sentences).toHaveLength(4);
    for (const [index, answer] of answers.entries()) expect(answer).toContain(sentences[index]);
  });

  test('that have nothing to do with the token are those of the code', async () => {
    const guard = await sourceOf('src/http/gate/origin-guard.ts');
    const tooMany = messageOf(() => createFailureCounter(0)('203.0.113.1', 'wrong'));
    const rows = tableRowsOf(between(text, 'Three refusals', '## What each client shows'));

    const sentences = rows.map(([first = '']) => first.replaceAll('`', ''));

    expect(sentences).toHaveLength(3);
    for (const sentence of sentences)
      expect(`${guard}${tooMany}`).toMatch(new RegExp(sentence.split('…').map(escapeForRegExp).join('.*')));
  });
});

/** What `POST /register` says. */
async function register(url: string, headers: Record<string, string>): Promise<string> {
  return descriptionOf(await send(`${url}/register`, { headers, body: {} }));
}

/** What is thrown. */
function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  return '';
}

/** A source file. */
async function sourceOf(name: string): Promise<string> {
  return readFile(path.join(ROOT, name), 'utf8');
}

test('mcp-remote gets the documented answer', async () => {
  const answer = await send(`${server.url}/register`, {
    headers: { Authorization: `Bearer ${WRONG}` },
    body: {},
  });

  expect(text).toContain(`Dynamic Client Registration rejected (HTTP 404): ${answer.text}\n`);
});

describe('an unknown token', () => {
  test.each<[string, ClientKind]>([
    ['SDK v1, Streamable HTTP', 'v1 http'],
    ['SDK v2, Streamable HTTP', 'v2 http'],
    ['SDK v2, revision 2026-07-28', 'v2 http 2026-07-28'],
    ['SDK v1 and v2, HTTP+SSE', 'v1 sse'],
    ['SDK v1 and v2, HTTP+SSE', 'v2 sse'],
  ])('is shown by %s as the document says (%s)', async (client, kind) => {
    const connected = connectClient(kind, { url: server.url, token: WRONG });

    await expect(connected).rejects.toThrow(withGaps(documentedFor(client)));
  });

  test('is shown by curl as the document says', async () =>
    expectDocumented('curl', 'curl', 'configuration.sh'));

  testInCi.each<[string, ClientId, string]>([
    ['MCP Inspector', 'inspector', 'configuration.sh'],
    ['MCP Inspector, `--stored-auth-only`', 'inspector', 'configuration.sh'],
    ['Vercel AI SDK', 'ai-sdk', 'configuration.mjs'],
    ['OpenAI Agents SDK', 'openai-agents', 'configuration.mjs'],
  ])('is shown by %s as the document says', expectDocumented, 40_000);
});

/** Runs what the table of clients has for one. */
async function expectDocumented(client: string, id: ClientId, file: string): Promise<void> {
  const extra = client.includes('--stored-auth-only') ? ' --stored-auth-only' : '';
  const configuration = renderClient(id, {
    name: 'mcp-auth-server',
    origin: server.url,
    token: WRONG,
  }).text;
  const cwd = await sandbox.folder({
    'package.json': '{ "type": "module" }',
    [file]: `${configuration}${extra}\n`,
  });
  await symlink(path.join(ROOT, 'node_modules'), path.join(cwd, 'node_modules'));

  const PATH = `${path.dirname(modernNode)}${path.delimiter}${process.env['PATH']}`;
  const command = file.endsWith('.sh') ? 'sh' : modernNode;
  const env = { PATH, OPENAI_API_KEY: 'sk-test', OPENAI_AGENTS_DISABLE_TRACING: '1' };
  const run = sandbox.spawn({ command, args: [file], cwd, env });
  await waitForEnd(run, { timeoutMs: 30_000 });

  expect(run.stdout() + run.stderr()).toMatch(withGaps(documentedFor(client)));
}
