/** `npm run connect` as a process: what goes to which stream, where the token comes from, and its mistakes. */
import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { clientIdsFor } from '../../src/connect/clients.ts';
import { testEach, testInCi } from '../support/in-ci.ts';
import { PACKAGE } from '../support/package.ts';
import { builtFile, createSandbox, waitForEnd } from '../support/process.ts';

const sandbox = createSandbox();
afterEach(async () => sandbox.close());

/** Runs the command to its end. */
async function connect(args: readonly string[], stdin = '', env: Record<string, string> = {}) {
  const cwd = await sandbox.folder();
  const run = sandbox.spawn({ args: [builtFile('scripts/connect.js'), ...args], cwd, env });
  run.child.stdin.end(stdin);
  const { code } = await waitForEnd(run, { timeoutMs: 20_000 });
  return { code, stdout: run.stdout(), stderr: run.stderr(), cwd };
}

test('without a client prints every configuration under its name, for the default address and with a placeholder', async () => {
  const { code, stdout, stderr } = await connect([]);

  expect(code).toBe(0);
  const names = [...stdout.matchAll(/^\S.*\((\S+)\)\n {2}goes into /gm)].map(([, name]) => name);
  expect(names).toEqual(clientIdsFor({ canSignIn: false }));
  expect(stdout).toContain('http://localhost:8000/mcp');
  expect(stderr).toContain('YOUR_TOKEN');
});

test('offers the bare address first where users of this server can sign in', async () => {
  const env = { SERVER_SECRET: randomBytes(32).toString('base64url'), AUTH_ENABLED: 'true' };

  const all = await connect([], '', env);
  const one = await connect(['--client', 'sign-in', '--url', 'https://my-app.example']);

  expect(all.stdout).toMatch(/^Claude, ChatGPT and others that sign in \(sign-in\)\n/);
  expect(all.stdout).toContain('Claude Desktop, through mcp-remote (claude-desktop)');
  expect(one.stdout).toBe('https://my-app.example/mcp\n');
});

test('with a client prints nothing but its configuration on stdout, and where it goes on stderr', async () => {
  const args = ['--client', 'cursor', '--url', 'https://my-app.example/mcp', '--token-stdin'];

  const { code, stdout, stderr } = await connect(args, 'mcp_secret\n');

  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    mcpServers: {
      [PACKAGE.name]: {
        url: 'https://my-app.example/mcp',
        headers: { Authorization: 'Bearer mcp_secret' },
      },
    },
  });
  expect(stderr).toContain('~/.cursor/mcp.json');
  expect(stderr).not.toContain('secret');
});

test('names the stdio server of this folder and its token file by their whole paths', async () => {
  const { stdout, cwd } = await connect(['--client', 'claude-desktop-stdio', '--token-stdin'], 'mcp_secret');

  expect(JSON.parse(stdout)).toMatchObject({
    mcpServers: {
      [PACKAGE.name]: {
        args: [builtFile('src/stdio.js')],
        env: { TOKENS_FILE: expect.stringContaining(`${cwd}/tokens.json`) as unknown },
      },
    },
  });
});

testEach([
  ['https://my-app.example/mcp-app', 'https://my-app.example/mcp-app/mcp'],
  ['https://my-app.example/mcp-app/mcp/', 'https://my-app.example/mcp-app/mcp'],
  ['https://my-app.example/sse', 'https://my-app.example/mcp'],
] as const)('keeps the path of %s that a proxy adds', async (url, shown) => {
  const { stdout } = await connect(['--client', 'cursor', '--url', url]);

  expect(stdout).toContain(`"url": "${shown}"`);
});

testEach([
  [
    'a client that is none',
    ['--client', 'emacs'],
    '',
    'There is no such client. The clients are: sign-in, claude-desktop',
  ],
  ['a token on the command line', ['--token', 'secret'], '', 'never taken from the command line'],
  ['a token as an argument', [`mcp_${'s'.repeat(43)}`], '', 'never taken from the command line'],
  ['no token on stdin', ['--token-stdin'], '\n', 'No token was given on standard input.'],
  ['two words on stdin', ['--token-stdin'], 'so secret', 'contains a space'],
  [
    'an address with a query',
    ['--url', 'https://x.example/a?b=secret'],
    '',
    '--url must be the address alone: remove the part that begins with ?',
  ],
  ['a path of the server itself', ['--url', 'https://x.example/tools/mcp'], '', '--url must not have a path'],
  ['a path in other letters', ['--url', 'https://x.example/päth'], '', '--url must have a path of'],
  ['an address with a password', ['--url', 'https://a:secret@x.example'], '', '--url must be'],
  ['an option that is none', ['--clint', 'cursor'], '', 'connect has no option --clint.'],
  ['an option that could be a secret', ['--Sesame-secret'], '', 'connect has no option like that.'],
  ['an option without its value', ['--client'], '', '--client needs a value.'],
  ['a switch with a value', ['--token-stdin=secret'], '', '--token-stdin takes no value.'],
  ['a client that is no option', ['cursor'], '', 'choose a client with --client NAME'],
  ['a name that no configuration can hold', ['--name', 'my "secret'], '', '--name must be'],
] as const)('refuses %s with exit code 2', async (_, args, stdin, message) => {
  const { code, stdout, stderr } = await connect(args, stdin);

  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('secret');
});

testInCi('calls the server what --name says', async () => {
  const { stdout } = await connect(['--client', 'cursor', '--name', 'class-7b']);

  expect(Object.keys((JSON.parse(stdout) as { mcpServers: object }).mcpServers)).toEqual(['class-7b']);
});

// By default help.test.ts has it explain itself.
testInCi.each([[['--help']], [['-h']], [['--client', 'emacs', '--bogus', '--token-stdin', '--help']]])(
  'explains itself with %j and does nothing else',
  async (args) => {
    const { code, stdout, stderr } = await connect(args);

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('--token-stdin');
    expect(stdout).not.toContain('mcpServers');
  },
);
