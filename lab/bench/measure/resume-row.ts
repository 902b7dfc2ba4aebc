/** The row about broken streams: how soon a resumed stream brings its first missed event, at the process that has the stream and at another. */
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { whyNoRedis } from '../../redis-server.ts';
import { type Contestant, type Lab, startTarget, takeTurns } from '../lab.ts';
import { messageIn, requireStatus, WrongAnswerError } from '../load/answers.ts';
import { HttpConnection } from '../load/http-connection.ts';
import { headerOf } from '../load/http-reader.ts';
import { ACCEPT_BOTH, createSpeller, INITIALIZED_MESSAGE, initializeMessage } from '../load/requests.ts';
import type { Figures, Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { percentile } from '../statistics.ts';
import { OURS, type Target } from '../targets.ts';
import { tokenOf } from '../tokens.ts';
import { openShared, type Shared } from './many-servers.ts';

/** This server, with a tool whose answer is a stream of events. */
const WITH_STEPS: Target = {
  ...OURS,
  script: fileURLToPath(new URL('../../fixture/with-steps.js', import.meta.url)),
};

const STEPS = 10;

/** The revision since which every stream can be resumed. */
const REVISION = '2025-11-25';

const TOKEN = tokenOf(0);

const [IN_MEMORY, AT_HOME, ELSEWHERE] = ['without variables', 'REDIS_URL, at home', 'REDIS_URL, elsewhere'];

/** A way of resuming a stream. */
interface ResumeContestant extends Contestant {
  readonly isShared: boolean;
  readonly isElsewhere: boolean;
}

/** Streams that are resumed one after the other. */
export const RESUME_ROW: Row = {
  name: 'redis-resume',
  title: `first event that was missed, of a stream of ${STEPS} and its answer`,
  metric: 'p50Ms',
  goals: [IN_MEMORY, AT_HOME, ELSEWHERE].map((of) => ({ of, atMost: 10 })),
  missing: whyNoRedis,
  async measure(lab): Promise<Series[]> {
    const shared = await openShared(lab);
    const contestants: ResumeContestant[] = [
      { name: IN_MEMORY, kind: 'variant', isShared: false, isElsewhere: false },
      { name: AT_HOME, kind: 'variant', isShared: true, isElsewhere: false },
      { name: ELSEWHERE, kind: 'variant', isShared: true, isElsewhere: true },
    ];
    try {
      return await takeTurns(lab, contestants, async (one) => measureResumptions(lab, shared, one));
    } finally {
      await shared.close();
    }
  },
};

/** Resumes streams, as many as there is time for in the settings. */
async function measureResumptions(
  lab: Lab,
  shared: Shared,
  { isShared, isElsewhere }: ResumeContestant,
): Promise<Figures> {
  const env = isShared ? shared.env : {};
  const starts = Array.from({ length: isElsewhere ? 2 : 1 }, async () =>
    startTarget(lab, WITH_STEPS, { env }),
  );
  const servers = await Promise.all(starts);
  try {
    const [home = 0, back = home] = servers.map(({ port }) => port);
    const session = await openSession(home);
    const latenciesMs: number[] = [];
    const { warmUpMs, durationMs } = lab.settings;
    const startMs = performance.now();
    for (let nowMs = startMs; nowMs - startMs < warmUpMs + durationMs; nowMs = performance.now()) {
      const tookMs = await resumeOnce(back, session, await session.callInSteps());
      if (nowMs - startMs > warmUpMs) latenciesMs.push(tookMs);
    }
    session.close();
    latenciesMs.sort((a, b) => a - b);
    return { p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) };
  } finally {
    await Promise.all(servers.map(async ({ stop }) => stop()));
  }
}

/** A session whose calls are streams. */
interface Session {
  readonly headers: Readonly<Record<string, string>>;
  /** Calls the tool that takes steps; resolves with the id of the first event, after all events have been read. */
  callInSteps(): Promise<string>;
  close(): void;
}

/** Opens a session. */
async function openSession(port: number): Promise<Session> {
  const connection = await HttpConnection.open(port);
  const spell = createSpeller({ method: 'POST', path: '/mcp', headers: ACCEPT_BOTH });
  const opened = await connection.request(spell(TOKEN, initializeMessage(REVISION)));
  const headers = {
    ...ACCEPT_BOTH,
    'MCP-Protocol-Version': REVISION,
    'Mcp-Session-Id': headerOf(opened.head, 'mcp-session-id') ?? '',
  };
  const post = createSpeller({ method: 'POST', path: '/mcp', headers });
  requireStatus(await connection.request(post(TOKEN, INITIALIZED_MESSAGE)), [202]);
  let id = 0;
  return {
    headers,
    async callInSteps() {
      id += 1;
      const params = {
        name: 'take_steps',
        arguments: { steps: STEPS, pauseMs: 0, mark: 'm' },
        _meta: { progressToken: id },
      };
      const answer = await connection.request(
        post(TOKEN, JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })),
      );
      if (messageIn(answer).id !== id) throw new WrongAnswerError(`to call ${id}: ${answer.text}`);
      const first = /^id: (\S+)$/m.exec(answer.text)?.[1];
      if (first === undefined) throw new WrongAnswerError(`a stream without ids: ${answer.text}`);
      return first;
    },
    close: () => connection.close(),
  };
}

/** Resumes a stream; resolves with the time from the request to the first missed event. Milliseconds. */
async function resumeOnce(port: number, { headers }: Session, lastEventId: string): Promise<number> {
  const connection = await HttpConnection.open(port);
  const spell = createSpeller({
    method: 'GET',
    path: '/mcp',
    headers: { ...headers, Accept: 'text/event-stream', 'Last-Event-ID': lastEventId },
  });
  try {
    const events = new EventEmitter<{ event: [] }>();
    const hasCome = once(events, 'event');
    const startMs = performance.now();
    const answer = await connection.openStream(spell(TOKEN), (text) => {
      if (text.includes('"jsonrpc"')) events.emit('event');
    });
    requireStatus(answer, [200]);
    await hasCome;
    return performance.now() - startMs;
  } finally {
    connection.close();
  }
}
