/** Makes the target of a run: a server that is started for it, or one that runs already. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../conformance/loopback.ts';
import type { MadeUpIssuer } from '../made-up-issuer.ts';
import type { Secrets } from './oracle.ts';
import type { Target } from './actor.ts';
import { ENVELOPE } from './messages.ts';
import { makeToken, startServerChild } from './server-child.ts';

/** A target, and access to its server. */
export interface FuzzTarget {
  readonly target: Target;
  /** What is wrong with the server itself; undefined when nothing is. */
  problem(): string | undefined;
  /** The server's memory in words, for the progress line; empty when it cannot be measured. */
  memory(): Promise<string>;
  /** Ends the server. Returns what was wrong with the way it ended; undefined when nothing was. */
  stop(): Promise<string | undefined>;
}

/** The lab's own server, compiled. */
export const FIXTURE = fileURLToPath(new URL('../fixture/main.js', import.meta.url));

/** How long an answer may take. Milliseconds. */
const DEADLINE_MS = 5_000;

/** The child's settings: limits that the fuzzer does not reach, except that of bodies, which is small so that reaching it is cheap. */
const SETTINGS = {
  MAX_SESSIONS: '1000000',
  MAX_SESSIONS_PER_USER: '1000000',
  SESSION_IDLE_SECONDS: '5',
  MAX_BODY_BYTES: '131072',
  AUTH_FAILURES_PER_MINUTE: '1000000',
  CALLS_PER_MINUTE: '0',
};

/** A way of authenticating users, for a started server. */
export interface Mode {
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Secrets;
  /** The entries of the token file, by token. */
  readonly tokens: Readonly<Record<string, object>>;
  readonly issuer?: MadeUpIssuer;
  readonly namesakes?: NonNullable<Target['namesakes']>;
}

/** Opens a mode for a server on this port. `mark` makes names that no other run has. */
export type OpenMode = (mark: string, port: number) => Promise<Mode>;

/** The usual mode: tokens in a file, with signing in; sessions are sealed, so that any process could serve them. */
const byTokens: OpenMode = async (mark) => {
  const [ada, bob] = [makeToken(), makeToken()];
  const identities = {
    ada: [`user-ada-${mark}`, `Ada of ${mark}`],
    bob: [`user-bob-${mark}`, `Bob of ${mark}`],
  } as const;
  return {
    env: { SERVER_SECRET: randomBytes(32).toString('base64url') },
    secrets: { tokens: { ada, bob }, identities, sessions: new Map() },
    tokens: { [ada]: entryOf(identities.ada), [bob]: entryOf(identities.bob) },
  };
};

/** How to start the server. */
interface StartOptions {
  readonly script?: string;
  readonly deadlineMs?: number;
  readonly openMode?: OpenMode;
}

/** Starts a server with the users ada and bob, and makes it the target. */
export async function startTarget({
  script = FIXTURE,
  deadlineMs = DEADLINE_MS,
  openMode = byTokens,
}: StartOptions = {}): Promise<FuzzTarget> {
  const port = await findFreePort();
  const { env, secrets, tokens, issuer, namesakes } = await openMode(randomBytes(4).toString('hex'), port);
  const child = await startServerChild({
    script,
    tokens,
    env: { ...SETTINGS, ...env, PORT: String(port) },
  });
  const problem = (): string | undefined => {
    const ending = child.ending();
    return ending === undefined ? child.log.problems[0] : `the server has ended: ${ending}`;
  };
  return {
    target: {
      host: child.url.hostname,
      port,
      secrets,
      deadlineMs,
      ...(issuer !== undefined && { issuer }),
      ...(namesakes !== undefined && { namesakes }),
    },
    problem,
    async memory() {
      const measured = await child.measure();
      return measured === undefined ? '' : `, server ${Math.round(measured.rssMb)} MB`;
    },
    async stop() {
      issuer?.close();
      return child.stop();
    },
  };
}

/** A user's entry in the token file. */
function entryOf([userId, name]: readonly string[]) {
  return { userId, name };
}

/** Makes a server that runs already the target, with the tokens of two of its users. Its log and process cannot be watched. */
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
 * Calls `whoami` without a session, to find out the id of a token's user.
 * @throws {Error} saying what is missing: without tools whose answers are known, answers cannot be checked
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
