/** Starts the server of the soak: six users, heartbeats every second, a short idle time of sessions, and a report of its heap on a signal. */
import { fileURLToPath } from 'node:url';
import { makeToken, type ServerChild, startServerChild } from '../fuzz/server-child.ts';
import { FIXTURE } from '../fuzz/target.ts';
import { IDLE_SESSION_SECONDS } from './idle.ts';
import type { SoakUser } from './workers.ts';

/** The paths of the compiled programs. */
export interface SoakScripts {
  readonly main: string;
  readonly heapSignal: string;
}

const SCRIPTS: SoakScripts = {
  main: FIXTURE,
  heapSignal: fileURLToPath(new URL('heap-signal.js', import.meta.url)),
};

/** Starts the server. */
export async function startSoakServer(
  scripts: SoakScripts = SCRIPTS,
): Promise<{ readonly server: ServerChild; readonly users: readonly SoakUser[] }> {
  const users = ['ada', 'bob', 'cleo', 'dan', 'eve', 'fay'].map((userId) => ({
    userId,
    name: `Name of ${userId}`,
    token: makeToken(),
  }));
  const server = await startServerChild({
    script: scripts.main,
    tokens: Object.fromEntries(users.map(({ token, ...entry }) => [token, entry])),
    nodeArgs: ['--expose-gc', '--import', scripts.heapSignal],
    env: {
      SESSION_IDLE_SECONDS: String(IDLE_SESSION_SECONDS),
      SSE_KEEPALIVE_SECONDS: '1',
      MAX_SESSIONS_PER_USER: '10000',
      CALLS_PER_MINUTE: '0',
      // The soak tries removed tokens until they are refused.
      AUTH_FAILURES_PER_MINUTE: '1000000',
    },
    // The soak leaves the file half written now and then, so this error is expected.
    allowedErrors: /token file cannot be used/,
  });
  return { server, users };
}
