/** Starts the real server on a free port, with its log in memory and a token file of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { openTokens } from '../../src/auth/tokens/open-tokens.ts';
import type { WeakTokens } from '../../src/auth/tokens/weak-tokens.ts';
import type { TokenVerifier } from '../../src/auth/verifier.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { Feature } from '../../src/mcp/feature.ts';
import type { Service } from '../../src/mcp/service.ts';
import type { EventStore } from '../../src/sessions/event-store.ts';
import { openTokensOf } from '../../src/server/database-tokens.ts';
import { openServices } from '../../src/server/services.ts';
import { ownVariablesOf } from '../../src/server/server-definition.ts';
import { type RunningServer, startServer } from '../../src/server/start-server.ts';
import type { Tool } from '../../src/mcp/tool.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';

/** Tokens of the users in most tests. */
export const ADA = 'tok_ada_0123456789';
export const BOB = 'tok_bob_0123456789';
export const GREETER = 'tok_greeter_0123456789';

/** The content of the token file, unless a test gives another. */
export const TOKENS: TokenFileContent = {
  [ADA]: { userId: 'ada', name: 'Ada Lovelace' },
  [BOB]: { userId: 'bob', name: 'Bob' },
  [GREETER]: { userId: 'greta', name: 'Greta', scopes: ['greet'] },
  tok_expired_0123456789: { userId: 'old', expiresAt: '2020-01-01T00:00:00Z' },
  tok_disabled_0123456789: { userId: 'off', disabled: true },
};

/** The content of a token file, before it is written as JSON. */
export type TokenFileContent = Record<string, Record<string, unknown>>;

/** What a test may change. */
export interface TestServerOptions {
  /** Variables besides PORT. `AUTH_ENABLED` is true unless given, and the number of calls is not limited. */
  readonly env?: Readonly<Record<string, string>>;
  readonly tokens?: TokenFileContent;
  /** Verifies tokens instead of the file. */
  readonly verifier?: TokenVerifier;
  /** What to do about weak tokens in the file. Default: `allow`, since most tests have such tokens. */
  readonly weakTokens?: WeakTokens;
  readonly tools?: readonly Tool[];
  readonly features?: readonly Feature[];
  readonly services?: readonly Service[];
  readonly store?: EventStore;
}

/** One line of the log. */
export type LogLine = Record<string, unknown>;

/** A server under test. */
export interface TestServer extends RunningServer {
  /** Every line of its log so far, at level debug. */
  readonly lines: readonly LogLine[];
  /** Replaces the content of the token file in place. */
  writeTokens(tokens: TokenFileContent | string): Promise<void>;
  readonly tokensPath: string;
}

/** Starts a server; `close` stops it and removes its files. */
export async function startTestServer({
  env = {},
  tokens = TOKENS,
  verifier,
  weakTokens = 'allow',
  tools = fixtureTools,
  features = [],
  services = [],
  store,
}: TestServerOptions = {}): Promise<TestServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mcp-test-'));
  const tokensPath = path.join(folder, 'tokens.json');
  const writeTokens = async (content: TokenFileContent | string): Promise<void> => {
    await writeFile(tokensPath, typeof content === 'string' ? content : JSON.stringify(content), {
      mode: 0o600,
    });
  };
  await writeTokens(tokens);

  const lines: LogLine[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) });
  const ownVariables = ownVariablesOf({ tools, services });
  const config = parseConfig(
    {
      PORT: '0',
      AUTH_ENABLED: 'true',
      TOKENS_FILE: tokensPath,
      SHUTDOWN_GRACE_SECONDS: '3',
      CALLS_PER_MINUTE: '0',
      ...env,
    },
    ownVariables,
  );
  const opened = config.auth.enabled
    ? await openTokens({
        source: config.auth.tokens,
        adminToken: config.auth.adminToken,
        openDatabase: openTokensOf(config.storage),
        allowOneRunToken: false,
        weakTokens,
        mayBeNone: config.provider !== undefined,
        log,
      })
    : undefined;
  const open = await openServices({ services, values: config.own, log });
  const definition = { tools, features };
  const parts = { config, verifier: verifier ?? opened?.verifier, definition, services: open, log };
  const server = await startServer({ ...parts, ...(store && { store }) });
  return {
    url: server.url,
    loads: server.loads,
    lines,
    tokensPath,
    writeTokens,
    async close() {
      const finished = await server.close();
      await open.close();
      await opened?.file?.close();
      await rm(folder, { recursive: true, force: true });
      return finished;
    },
  };
}
