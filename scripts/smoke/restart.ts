/** Checks that a session goes on after a restart of the server, which the operator does while the check waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, ask, type Target, unexpected } from './http.ts';
import { CheckFailure, Unreachable } from './outcome.ts';
import { openSessionStream } from './post-stream.ts';
import { openRawSession, PING, type RawSession } from './raw-session.ts';
import type { Passed } from './steps.ts';

/** How long the check waits for the restart, and how long the restart may take. Milliseconds. */
const RESTART_MS = 300_000;

/** How often the check tries whether the server is back. Milliseconds. */
const LOOK_MS = 250;

/** How many calls must be answered before the session counts as going on: of several instances, only one may have been restarted. */
const CALLS = 20;

/** Opens a session, has the operator restart the server, and uses the session again. */
export async function checkRestart(target: Target, tell: (text: string) => void): Promise<Passed> {
  const session = await openRawSession(target);
  try {
    // The stream ends with its process: this is the one sign of a restart that can be seen from outside.
    const { reader } = await openSessionStream(target, session);
    try {
      tell(`Restart the server now. This waits for it, at most ${RESTART_MS / 1000} s.`);
      if (await reader.waitUntil(() => reader.isOver(), RESTART_MS))
        return await checkGoesOn(target, session);
    } finally {
      reader.close();
    }
    throw new CheckFailure(
      `The server was not restarted within ${RESTART_MS / 1000} s.`,
      'Restart the server, or deploy it again, when this asks for it.',
    );
  } finally {
    await session.end();
  }
}

/** Calls on the session until enough calls are answered. A while without an answer, or with 502 or 503, belongs to a restart. */
async function checkGoesOn(target: Target, { headers }: RawSession): Promise<Passed> {
  const startedMs = performance.now();
  let answered = 0;
  while (answered < CALLS) {
    const answer = await tryAsking(target, headers);
    if (answer?.status === 200) {
      answered += 1;
      continue;
    }
    if (answer?.status === 404) {
      throw new CheckFailure(
        'After the restart the session is unknown (404): clients must start a new session, and not all of them do.',
        'Set SERVER_SECRET, with the same value before and after the restart ("npm run token -- secret" prints one): then sessions outlive restarts.',
      );
    }
    const isComing = answer === undefined || answer.status === 502 || answer.status === 503;
    if (answer !== undefined && (!isComing || performance.now() - startedMs > RESTART_MS))
      throw unexpected(answer, '200 to a call of the session');
    if (performance.now() - startedMs > RESTART_MS)
      throw new CheckFailure('The server did not come back.', "Read the deployment's log.");
    await sleep(LOOK_MS);
  }
  return { detail: `the session answers ${CALLS} calls after the restart` };
}

/** Makes one call on the session; undefined when the server cannot be reached. */
async function tryAsking(
  target: Target,
  headers: Readonly<Record<string, string>>,
): Promise<Answer | undefined> {
  try {
    return await ask(target, '/mcp', { token: target.token, headers, body: PING });
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}
