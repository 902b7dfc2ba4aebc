/** The table of client configurations: their form, where the token goes, and quoting. */
import { describe, expect, test } from '@jest/globals';
import {
  CLIENT_IDS,
  type ClientId,
  clientIdsFor,
  isClientId,
  renderClient,
} from '../../src/connect/clients.ts';
import { spellLink } from '../../src/connect/links.ts';
import { quoteForShell } from '../../src/connect/target.ts';

const TOKEN = 'mcp_0123456789';
const TARGET = { name: 'mcp-auth-server', origin: 'https://my-app.example', token: TOKEN };

/** A configuration that is JSON. */
function parsed(id: ClientId, target: Parameters<typeof renderClient>[1] = TARGET): unknown {
  return JSON.parse(renderClient(id, target).text);
}

/** The link of a client as text. */
function linkOf(id: ClientId, target: Parameters<typeof renderClient>[1] = TARGET): string {
  return spellLink(renderClient(id, target).oneClick?.link ?? []);
}

/** What is written in Base64 in a link. */
function decoded(base64: string | null): unknown {
  return JSON.parse(Buffer.from(base64 ?? '', 'base64').toString());
}

test('has the clients that the project promises', () => {
  expect(CLIENT_IDS).toEqual([
    'sign-in',
    'claude-desktop-bundle',
    'claude-desktop',
    'claude-desktop-stdio',
    'claude-code',
    'claude-code-json',
    'mcp-json',
    'claude-connector',
    'cursor',
    'vscode',
    'vscode-insiders',
    'vscode-cli',
    'lm-studio',
    'goose',
    'codex',
    'gemini-cli',
    'windsurf',
    'zed',
    'cline',
    'opencode',
    'copilot-cli',
    'kiro',
    'add-mcp',
    'chatgpt',
    'inspector',
    'openai-agents',
    'openai-responses',
    'ai-sdk',
    'curl',
    'server-json',
  ]);
  expect([isClientId('curl'), isClientId('toString'), isClientId('')]).toEqual([true, false, false]);
});

test('offers the bare URL first when users can sign in, and not otherwise', () => {
  expect(renderClient('sign-in', TARGET).text).toBe('https://my-app.example/mcp');
  expect(clientIdsFor({ canSignIn: true })).toEqual(CLIENT_IDS);
  expect(clientIdsFor({ canSignIn: false })).toEqual(CLIENT_IDS.slice(1));
});

/** Configurations that are shown to others, and so never hold a token. */
const WITHOUT_TOKEN: ReadonlySet<string> = new Set([
  'claude-desktop-bundle',
  'mcp-json',
  'vscode-cli',
  'server-json',
]);

describe.each(clientIdsFor({ canSignIn: false }))('the configuration of %s', (id) => {
  test('says what it is and where it goes, and holds the token unless others are to see it', () => {
    const { title, where, text } = renderClient(id, TARGET);

    expect([title, where].every((words) => words.length > 0)).toBe(true);
    expect(text.includes(TOKEN)).toBe(!WITHOUT_TOKEN.has(id));
  });

  test('without a token has a placeholder, or makes the client ask', () => {
    const { text } = renderClient(id, { ...TARGET, token: undefined });

    const holdsPlaceholder = /YOUR_TOKEN|\$\{input:|\$\{MCP_SERVER_TOKEN\}|"isSecret"/.test(text);
    expect(holdsPlaceholder).toBe(!/^claude-desktop-(stdio|bundle)$/.test(id));
    expect(text).not.toContain('undefined');
  });

  test('has no header where the client is to send none', () => {
    const { text, where, note, oneClick } = renderClient(id, {
      ...TARGET,
      token: undefined,
      withoutHeader: true,
    });

    const shown = `${text} ${spellLink(oneClick?.link ?? [])}`.replace(
      'Authorization: Bearer $OPENAI_API_KEY',
      '',
    );
    expect(shown).not.toMatch(/Authorization|Bearer|YOUR_TOKEN|\$\{/);
    expect([where, note, oneClick?.next].join(' ')).not.toMatch(/token|header/i);
  });
});

describe('a link, parsed back', () => {
  const entry = { url: 'https://my-app.example/mcp', headers: { Authorization: `Bearer ${TOKEN}` } };
  const asks = {
    type: 'http',
    url: 'https://my-app.example/mcp',
    headers: { Authorization: 'Bearer ${input:token}' },
  };
  const inputs = [{ type: 'promptString', id: 'token', description: 'Token for mine', password: true }];
  const mine = { ...TARGET, name: 'mine' };

  test.each([
    ['cursor', 'cursor://anysphere.cursor-deeplink/mcp/install'],
    ['lm-studio', 'lmstudio://add_mcp'],
  ] as const)('of %s has what its file has', (id, address) => {
    const url = new URL(linkOf(id, mine));

    expect(url.href.split('?')[0]).toBe(address);
    expect(url.searchParams.get('name')).toBe('mine');
    expect(decoded(url.searchParams.get('config'))).toEqual(entry);
    expect(parsed(id, mine)).toEqual({ mcpServers: { mine: entry } });
  });

  test.each([
    ['vscode', 'vscode:mcp/install?'],
    ['vscode-insiders', 'vscode-insiders:mcp/install?'],
  ] as const)('of %s asks for the token itself, whatever token is known', (id, head) => {
    const link = linkOf(id, mine);

    expect(link.startsWith(head)).toBe(true);
    expect(JSON.parse(decodeURIComponent(link.slice(head.length)))).toEqual({
      name: 'mine',
      ...asks,
      inputs,
    });
    expect(renderClient(id, mine).oneClick?.holdsToken).toBe(false);
  });

  test('of Goose has name, address and header', () => {
    const { protocol, host, searchParams } = new URL(linkOf('goose', mine));

    expect([protocol, host]).toEqual(['goose:', 'extension']);
    expect(Object.fromEntries(searchParams)).toEqual({
      type: 'streamable_http',
      url: 'https://my-app.example/mcp',
      id: 'mine',
      name: 'mine',
      description: 'The MCP server at https://my-app.example',
      header: `Authorization=Bearer ${TOKEN}`,
    });
  });

  test('of Claude’s dialog has name and address, and cannot have the token', () => {
    const { origin, pathname, searchParams } = new URL(linkOf('claude-connector', mine));

    expect(`${origin}${pathname}`).toBe('https://claude.ai/settings/connectors');
    expect(Object.fromEntries(searchParams)).toEqual({
      modal: 'add-custom-connector',
      connectorName: 'mine',
      connectorUrl: 'https://my-app.example/mcp',
    });
  });

  test('over a maker’s site never has a token', () => {
    const webLinks = CLIENT_IDS.map((id) => renderClient(id, mine).oneClick?.webLink ?? '').filter(Boolean);
    const [cursor = '', vscode = '', insiders = '', lmStudio = ''] = webLinks;

    const placeholder = { ...entry, headers: { Authorization: 'Bearer YOUR_TOKEN' } };
    expect(webLinks).toHaveLength(4);
    for (const link of [cursor, lmStudio])
      expect(decoded(new URL(link).searchParams.get('config'))).toEqual(placeholder);
    for (const link of [vscode, insiders]) {
      const { searchParams } = new URL(link);
      expect(JSON.parse(searchParams.get('config') ?? '')).toEqual(asks);
      expect(JSON.parse(searchParams.get('inputs') ?? '')).toEqual(inputs);
    }
    expect(new URL(insiders).searchParams.get('quality')).toBe('insiders');
  });
});

test('a name that TOML cannot have bare is quoted in Codex’s file', () => {
  expect(renderClient('codex', { ...TARGET, name: 'a.b' }).text).toContain('[mcp_servers."a.b"]');
});

test('server.json fits its schema in name, length and remote, and holds no token', () => {
  const file = parsed('server-json', { ...TARGET, name: 'mine', version: '2.0.1' });

  expect(file).toMatchObject({
    name: 'example.my-app/mine',
    version: '2.0.1',
    remotes: [
      {
        type: 'streamable-http',
        url: 'https://my-app.example/mcp',
        headers: [{ name: 'Authorization', isRequired: true, isSecret: true }],
      },
    ],
  });
});

test('Claude Code and VS Code take JSON that a shell hands on as it is', () => {
  const entry = JSON.parse(/'(.*)'$/.exec(renderClient('vscode-cli', TARGET).text)?.[1] ?? '') as object;

  expect(renderClient('vscode-cli', TARGET).text).toMatch(/^code --add-mcp '/);
  expect(entry).toMatchObject({ name: 'mcp-auth-server', type: 'http', inputs: [{ password: true }] });
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
