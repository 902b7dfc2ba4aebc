/** The table of client configurations: their form, where the token goes, and quoting. */
import { describe, expect, test } from '@jest/globals';
import {
  CLIENT_IDS,
  type ClientId,
  clientIdsFor,
  isClientId,
  renderClient,
} from '../../src/connect/clients.ts';
import { quoteForShell } from '../../src/connect/target.ts';

const TOKEN = 'mcp_0123456789';
const TARGET = { name: 'mcp-auth-server', origin: 'https://my-app.example', token: TOKEN };

/** A configuration that is JSON. */
function parsed(id: ClientId, target: Parameters<typeof renderClient>[1] = TARGET): unknown {
  return JSON.parse(renderClient(id, target).text);
}

test('has the clients that the project promises', () => {
  expect(CLIENT_IDS).toEqual([
    'sign-in',
    'claude-desktop',
    'claude-desktop-stdio',
    'claude-code',
    'claude-connector',
    'cursor',
    'vscode',
    'inspector',
    'openai-agents',
    'openai-responses',
    'ai-sdk',
    'curl',
  ]);
  expect([isClientId('curl'), isClientId('toString'), isClientId('')]).toEqual([true, false, false]);
});

test('offers the bare address first where users can sign in, and not where they cannot', () => {
  expect(renderClient('sign-in', TARGET).text).toBe('https://my-app.example/mcp');
  expect(clientIdsFor({ canSignIn: true })).toEqual(CLIENT_IDS);
  expect(clientIdsFor({ canSignIn: false })).toEqual(CLIENT_IDS.slice(1));
});

describe.each(clientIdsFor({ canSignIn: false }))('the configuration of %s', (id) => {
  test('says what it is and where it goes, and holds the token', () => {
    const { title, where, text } = renderClient(id, TARGET);

    expect([title, where].every((words) => words.length > 0)).toBe(true);
    expect(text).toContain(TOKEN);
  });

  test('without a token holds none, and says so by a placeholder or by asking', () => {
    const { text } = renderClient(id, { ...TARGET, token: undefined });

    const holdsPlaceholder = /YOUR_TOKEN|\$\{input:/.test(text);
    expect(holdsPlaceholder).toBe(id !== 'claude-desktop-stdio');
    expect(text).not.toContain('undefined');
  });
});

describe('Claude Desktop through mcp-remote', () => {
  test('has no space in any argument, and the token in env only', () => {
    expect(parsed('claude-desktop')).toEqual({
      mcpServers: {
        'mcp-auth-server': {
          command: 'npx',
          args: [
            '-y',
            'mcp-remote',
            'https://my-app.example/mcp',
            '--header',
            'Authorization:${AUTH_HEADER}',
          ],
          env: { AUTH_HEADER: `Bearer ${TOKEN}` },
        },
      },
    });
  });

  test.each([
    ['http://192.168.1.5:8000', true],
    ['http://localhost:8000', false],
    ['http://127.0.0.1:8000', false],
    ['http://[::1]:8000', false],
    ['https://192.168.1.5', false],
  ])('for %s allows plain HTTP: %s', (origin, isAllowed) => {
    expect(renderClient('claude-desktop', { ...TARGET, origin }).text.includes('--allow-http')).toBe(
      isAllowed,
    );
  });
});

test('Claude Desktop over stdio runs as the token’s user, and without authentication when there is no token', () => {
  const stdio = { entry: '/srv/dist/src/stdio.js', tokensFile: '/srv/tokens.json' };

  const [withToken, without] = [
    parsed('claude-desktop-stdio', { ...TARGET, stdio }),
    parsed('claude-desktop-stdio', { ...TARGET, token: undefined, stdio }),
  ];

  const server = { command: 'node', args: ['/srv/dist/src/stdio.js'] };
  const env = { AUTH_ENABLED: 'true', MCP_TOKEN: TOKEN, TOKENS_FILE: '/srv/tokens.json' };
  expect(withToken).toEqual({ mcpServers: { 'mcp-auth-server': { ...server, env } } });
  expect(without).toEqual({ mcpServers: { 'mcp-auth-server': server } });
});

test('Cursor and VS Code get the URL and the header in their own forms', () => {
  const server = { url: 'https://my-app.example/mcp', headers: { Authorization: `Bearer ${TOKEN}` } };

  expect(parsed('cursor', { ...TARGET, name: 'mine' })).toEqual({ mcpServers: { mine: server } });
  expect(parsed('vscode', { ...TARGET, name: 'mine' })).toEqual({
    servers: { mine: { type: 'http', ...server } },
  });
});

test('VS Code without a token asks for one, hidden', () => {
  expect(parsed('vscode', { origin: TARGET.origin, name: 'mine' })).toMatchObject({
    inputs: [{ type: 'promptString', id: 'mine-token', password: true }],
    servers: { mine: { headers: { Authorization: 'Bearer ${input:mine-token}' } } },
  });
});

test('Claude Code gets one command, with the variadic --header last', () => {
  expect(renderClient('claude-code', TARGET).text.replaceAll(/ \\\n +/g, ' ')).toBe(
    `claude mcp add --transport http --scope user mcp-auth-server https://my-app.example/mcp --header "Authorization: Bearer ${TOKEN}"`,
  );
});

test.each([
  ['plain-word_1.2', 'plain-word_1.2'],
  ['two words', '"two words"'],
  ['a$(b)', `'a$(b)'`],
  [`it's "so"`, `'it'\\''s "so"'`],
  ['', `''`],
])('quotes %j for a shell as %s', (argument, quoted) => {
  expect(quoteForShell(argument)).toBe(quoted);
});

test.each(['openai-agents', 'ai-sdk'] as const)('%s takes a token with quotes and backslashes', (id) => {
  const token = String.raw`a'b"c\d`;

  const { text } = renderClient(id, { ...TARGET, token });

  const [, literal = ''] = /Authorization: (.*?) \}/.exec(text) ?? [];
  expect(JSON.parse(literal)).toBe(`Bearer ${token}`);
});
