/** The rows of what it costs that a server is several processes: plain calls, messages of HTTP+SSE that reach another process than their stream, and growing from one to three. */
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

/** How one of them is set up. */
interface ManyContestant extends Contestant {
  /** How many processes it is. */
  readonly processes: number;
  readonly env: (shared: Shared) => Readonly<Record<string, string>>;
  readonly messages: Fleet['messages'];
  readonly clients: number;
}

/** A server that is so many processes. */
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

/** As many clients for each, as when a server grows with its users: what is sent in one go is then as much. */
const OF_THREE = { processes: 3, clients: 3 * CLIENTS } as const;

/** Every row of several processes. */
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
      // Three share a core here, which by itself costs them something: the measure is three that need nothing of each other.
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

/** What a row measures. */
interface ManyRow {
  readonly title: string;
  readonly transport: Transport;
  readonly contestants: readonly ManyContestant[];
  readonly goals: readonly Goal[];
}

/** A row whose servers take turns, each with as many clients. */
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

/** Puts the same load on each; its CPU time is that of all its processes. */
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

/** Starts the processes of one, with a Redis of their own: those of another would count as theirs. */
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
