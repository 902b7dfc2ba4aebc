/** What is attacked: a server that is started for it, or one that runs already. */
import { fileURLToPath } from 'node:url';
import type { Secrets } from './oracle.ts';
import type { Target } from './actor.ts';
import { ENVELOPE } from './messages.ts';
import { makeToken, startServerChild } from './server-child.ts';

/** A target with what is known of its server. */
export interface FuzzTarget {
  readonly target: Target;
  /** Why the server is not what it was, if so. */
  problem(): string | undefined;
  /** How much memory it has, for the progress line; empty when that cannot be seen. */
  memory(): Promise<string>;
  /** Ends it; returns what was wrong with how it ended, if anything was. */
  stop(): Promise<string | undefined>;
}

/** The lab's server beside the compiled scripts. */
export const FIXTURE = fileURLToPath(new URL('../fixture/main.js', import.meta.url));

/** How long an answer may take. Milliseconds. */
const DEADLINE_MS = 5_000;

/** The child's settings: caps and limits that the fuzzer must not meet, small bodies so that it meets that limit cheaply. */
const SETTINGS = {
  MAX_SESSIONS: '1000000',
  MAX_SESSIONS_PER_USER: '1000000',
  SESSION_IDLE_SECONDS: '5',
  MAX_BODY_BYTES: '131072',
  AUTH_FAILURES_PER_MINUTE: '1000000',
  CALLS_PER_MINUTE: '0',
};

/** Starts a server with the users ada and bob. */
export async function startTarget({ script = FIXTURE, deadlineMs = DEADLINE_MS } = {}): Promise<FuzzTarget> {
  const tokens = { ada: makeToken(), bob: makeToken() };
  const mark = tokens.ada.slice(-6);
  const secrets: Secrets = {
    tokens,
    identities: { ada: [`user-ada-${mark}`, `Ada of ${mark}`], bob: [`user-bob-${mark}`, `Bob of ${mark}`] },
    sessions: new Map(),
  };
  const child = await startServerChild({
    script,
    tokens: { [tokens.ada]: entryOf(secrets.identities.ada), [tokens.bob]: entryOf(secrets.identities.bob) },
    env: SETTINGS,
  });
  const problem = (): string | undefined => {
    const ending = child.ending();
    return ending === undefined ? child.log.problems[0] : `the server has ended: ${ending}`;
  };
  return {
    target: { host: child.url.hostname, port: Number(child.url.port), secrets, deadlineMs },
    problem,
    async memory() {
      const measured = await child.measure();
      return measured === undefined ? '' : `, server ${Math.round(measured.rssMb)} MB`;
    },
    stop: () => child.stop(),
  };
}

/** A user as the token file has it. */
function entryOf([userId, name]: readonly string[]) {
  return { userId, name };
}

/** Takes a server that runs already, with the tokens of two of its users. Its log and process cannot be watched. */
export async function takeTarget(
  url: string,
  [ada, bob]: readonly [string, string],
  deadlineMs = DEADLINE_MS,
): Promise<FuzzTarget> {
  const { hostname, port } = new URL(url);
  const identities = { ada: [await userIdOf(url, ada)], bob: [await userIdOf(url, bob)] };
  if (identities.ada[0] === identities.bob[0]) throw new Error('Give the tokens of two different users.');
  return {
    target: {
      host: hostname,
      port: Number(port || 80),
      secrets: { tokens: { ada, bob }, identities, sessions: new Map() },
      deadlineMs,
    },
    problem: () => undefined,
    memory: async () => '',
    stop: async () => undefined,
  };
}

/**
 * Asks `whoami`, the stateless way.
 * @throws {Error} that says what is missing: without tools whose answers are known, no answer can be held against anything
 */
async function userIdOf(url: string, token: string): Promise<string> {
  const response = await fetch(new URL('/mcp', url), {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'whoami',
    }, // prettier-ignore
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'whoami', arguments: {}, _meta: ENVELOPE },
    }),
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const text = await response.text();
  const userId = /\\?"userId\\?":\\?"([^"\\]+)/.exec(text)?.[1];
  if (userId !== undefined) return userId;
  if (response.status === 401) throw new Error('The server answers 401: is the token right?');
  throw new Error(
    `The server answers whoami with status ${response.status}. Give the URL of one that offers the fuzzer's tools: start dist/lab/fixture/main.js in place of dist/src/main.js, with the settings of yours.`,
  );
}
