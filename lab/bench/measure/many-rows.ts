/** The rows about several processes as one server: plain calls, messages that reach another process than their SSE stream, and growth to three. */
import { type Contestant, type Lab, startTarget } from '../lab.ts';
import type { Fleet, Transport } from '../load/job.ts';
import type { Goal, Series } from '../metrics.ts';
import { whyNoRedis } from '../../redis-server.ts';
import type { Row } from '../rows.ts';
import { OURS } from '../targets.ts';
import { openShared, SECRET, type Shared } from './many-servers.ts';
import { callsOver, CLIENTS } from './pair-rows.ts';
import { RESUME_ROW } from './resume-row.ts';
import { measureSideBySide, type OpenSide, type Side } from './side-by-side.ts';

/** How the server of a series is set up. */
interface ManyContestant extends Contestant {
  /** The number of its processes. */
  readonly processes: number;
  readonly env: (shared: Shared) => Readonly<Record<string, string>>;
  readonly messages: Fleet['messages'];
  readonly clients: number;
}

/** Makes a contestant with this many processes. */
function contestant(
  name: string,
  env: ManyContestant['env'],
  {
    processes = 1,
    messages = 'in turn',
    clients = CLIENTS,
  }: Partial<Pick<ManyContestant, 'processes' | 'messages' | 'clients'>> = {},
): ManyContestant {
  return { name, kind: 'variant', env, processes, messages, clients };
}

const REDIS: ManyContestant['env'] = ({ env }) => env;
const [ALONE, SEALED, TOGETHER] = ['without variables', 'SERVER_SECRET', 'REDIS_URL'] as const;
const [ONE, THREE, APART] = ['one process', 'three processes', 'three that share no session'] as const;
const [HOME, AWAY] = ['at its stream', 'away from its stream, both processes'] as const;

/** As many clients for each process, as when a server grows with its users: then as much is sent at once. */
const OF_THREE = { processes: 3, clients: 3 * CLIENTS } as const;

/** All rows about several processes. */
export const MANY_ROWS: readonly Row[] = [
  ...(['streamable', 'stateless'] as const).map((transport) =>
    manyRow(`redis-calls-${transport}`, {
      title: `tools/call, ${transport}, with what several processes need`,
      transport,
      contestants: [
        contestant(ALONE, () => ({})),
        contestant(SEALED, () => ({ SERVER_SECRET: SECRET })),
        contestant(TOGETHER, REDIS),
      ],
      goals: [SEALED, TOGETHER].map((of) => ({ of, to: ALONE, atMost: 1.05 })),
    }),
  ),
  manyRow('redis-sse', {
    title: 'tools/call, HTTP+SSE, posted to the process of the stream, and to another',
    transport: 'sse',
    contestants: [contestant(HOME, REDIS), contestant(AWAY, REDIS, { processes: 2, messages: 'away' })],
    goals: [{ of: AWAY, to: HOME, atMost: 2.5 }],
  }),
  ...(
    [
      ['streamable', 2.8],
      ['sse', 1.5],
    ] as const
  ).map(([transport, atLeast]) =>
    manyRow(`redis-scale-${transport}`, {
      // Three processes share a core here, which costs something itself: so they are compared with three that share nothing.
      title: `tools/call, ${transport}, each request to the next process, as many clients for each`,
      transport,
      contestants: [
        contestant(ONE, REDIS),
        contestant(THREE, REDIS, OF_THREE),
        contestant(APART, () => ({}), { ...OF_THREE, messages: 'home' }),
      ],
      goals: [{ of: APART, to: THREE, times: 3, atLeast }],
    }),
  ),
  RESUME_ROW,
];

/** The parts of a row. */
interface ManyRow {
  readonly title: string;
  readonly transport: Transport;
  readonly contestants: readonly ManyContestant[];
  readonly goals: readonly Goal[];
}

/** Makes a row whose servers take turns, with the same number of clients for each process. */
function manyRow(name: string, { title, transport, contestants, goals }: ManyRow): Row {
  return {
    name,
    title: `${title}, ${CLIENTS} clients`,
    metric: 'cpuMicros',
    goals,
    missing: whyNoRedis,
    measure: async (lab) => measureMany(lab, transport, contestants),
  };
}

/** Puts the same load on each server. The CPU time of a server is that of all its processes. */
async function measureMany(
  lab: Lab,
  transport: Transport,
  contestants: readonly ManyContestant[],
): Promise<Series[]> {
  const sides = contestants.map(({ name, kind, ...setUp }): Side => ({
    name,
    kind,
    open: async () => openMany(lab, transport, setUp),
  }));
  return measureSideBySide(lab, [sides]);
}

/** Starts the processes of one server with a Redis of its own: another server's processes would otherwise be its peers. */
async function openMany(
  lab: Lab,
  transport: Transport,
  { processes, env, messages, clients }: Omit<ManyContestant, keyof Contestant>,
): Promise<OpenSide> {
  const shared = await openShared(lab);
  const starts = Array.from({ length: processes }, async () => startTarget(lab, OURS, { env: env(shared) }));
  const servers = await Promise.all(starts);
  const [server, ...others] = servers.map(({ port, pid }) => ({ port, pid }));
  if (server === undefined) throw new Error('There is no server to measure.');
  const fleet = others.length > 0 && { fleet: { others, messages } };
  return {
    load: { server, ...fleet, ...callsOver(transport), clients },
    async close() {
      await Promise.all(servers.map(async ({ stop }) => stop()));
      await shared.close();
    },
  };
}
