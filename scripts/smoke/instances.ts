/** Sends many calls of one session through a balancer: each must be answered, whichever instance it reaches. */
import { ask, type Answer, codeOf, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import { beginRawSession, PING } from './raw-session.ts';
import type { SseStream } from './sse.ts';
import type { Passed } from './steps.ts';

/** How many calls each instance stands for. */
const CALLS = 20;

/** How many calls are in flight at once for each instance: a balancer that counts connections is given several. */
const AT_ONCE = 4;

/** Sends calls of one Streamable HTTP session, and fails unless all are answered. */
export async function checkInstances(target: Target, instances: number): Promise<Passed> {
  const session = await beginRawSession(target);
  const { headers } = session;
  const send = async (id: number): Promise<Answer> =>
    ask(target, '/mcp', { token: target.token, headers, body: { ...PING, id } });
  const answers = await sendAll(instances, send);
  await session.end();
  const refused = answers.filter(({ status }) => status !== 200);
  if (refused.length === 0) return { detail: `${instances * CALLS} of ${instances * CALLS} calls answered` };
  throw new CheckFailure(
    `${refused.length} of ${instances * CALLS} calls of one session were refused (${listOf(refused)}).`,
    'The instances do not know each other\'s sessions: give all the same SERVER_SECRET ("npm run token -- secret" prints one), or have the balancer send a client to the same instance each time.',
  );
}

/** Posts messages of one HTTP+SSE session; fails unless each is accepted, and answered on the stream. */
export async function checkSseInstances(
  target: Target,
  { reader, endpoint }: SseStream,
  instances: number,
): Promise<Passed> {
  const send = async (id: number): Promise<Answer> =>
    ask(target, endpoint, { token: target.token, body: { ...PING, id: `instances-${id}` } });
  const refused = (await sendAll(instances, send)).filter(({ status }) => status !== 202);
  const total = instances * CALLS;
  if (refused.length > 0) {
    throw new CheckFailure(
      `${refused.length} of ${total} messages of one HTTP+SSE session were refused (${listOf(refused)}).`,
      'One instance holds the stream, and the others do not reach it: set REDIS_URL to the same Redis for all of them (503: it cannot be reached), have the balancer send a client to the same instance each time, or switch HTTP+SSE off.',
    );
  }
  for (let id = 0; id < total; id += 1) {
    const answer = await reader.waitForEvent(
      ({ data }) => data.includes(`"instances-${id}"`),
      target.timeoutMs,
    );
    if (answer !== undefined) continue;
    throw new CheckFailure(
      `Message ${id + 1} of ${total} was accepted, but its answer did not come.`,
      'The instance that accepted it did not pass it on: read its log, and check that all instances have the same REDIS_URL, REDIS_PREFIX and SERVER_SECRET.',
    );
  }
  return { detail: `${total} of ${total} messages answered on the stream` };
}

/** Sends the calls of all instances, several at once. */
async function sendAll(instances: number, send: (id: number) => Promise<Answer>): Promise<Answer[]> {
  const ids = Array.from({ length: instances * CALLS }, (_, id) => id);
  const answers: Answer[] = [];
  const work = async (): Promise<void> => {
    for (let id = ids.shift(); id !== undefined; id = ids.shift()) answers.push(await send(id));
  };
  await Promise.all(Array.from({ length: instances * AT_ONCE }, work));
  return answers;
}

/** Lists the statuses, with the server's error codes, and how often each came. */
function listOf(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const answer of answers) {
    const code = codeOf(answer);
    const name = code === undefined ? String(answer.status) : `${answer.status} ${code}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ');
}
