/** The rows of the benchmark, in the order in which they are measured. */
import type { Lab } from './lab.ts';
import type { AskedMethod, SessionTransport, Transport } from './load/job.ts';
import { measureEdits } from './measure/edits-row.ts';
import { FEATURES_ROWS } from './measure/features-row.ts';
import { LOG_ROW } from './measure/pair-rows.ts';
import { IDLE_KIB, measureIdleSessions } from './measure/idle-row.ts';
import { METRICS_ROWS } from './measure/metrics-row.ts';
import { type LoadRow, measureLoad, metricOf } from './measure/load-row.ts';
import { PROVIDER_ROW } from './measure/provider-row.ts';
import { REAL_ROW } from './measure/real-row.ts';
import { measureReload } from './measure/reload-row.ts';
import { SIGN_IN_ROW } from './measure/sign-in-row.ts';
import { measureStart, START_GOALS } from './measure/start-row.ts';
import { measureTokenCounts } from './measure/tokens-row.ts';
import { MANY_ROWS } from './measure/many-rows.ts';
import type { Goal, RowHead, Series } from './metrics.ts';
import { BEST_PEER } from './report/figures.ts';
import { OURS } from './targets.ts';

/** A row. */
export interface Row extends RowHead {
  /** What is missing here to measure it; undefined when nothing is. */
  readonly missing?: () => string | undefined;
  measure(lab: Lab): Promise<Series[]>;
}

const TRANSPORTS: readonly Transport[] = ['sse', 'streamable', 'stateless'];
const SESSION_TRANSPORTS: readonly SessionTransport[] = ['sse', 'streamable'];
const TITLES: Readonly<Record<Transport, string>> = {
  sse: 'HTTP+SSE',
  streamable: 'Streamable HTTP 2025',
  stateless: 'stateless 2026-07-28',
};
const CLIENTS = 32;
const PACE = 150;

/** How many times this server's CPU time the best peer's must be, at least. */
const CALL_GOALS: Readonly<Record<Transport, number>> = { sse: 5, streamable: 2.2, stateless: 6 };

/** All rows. */
export const ROWS: readonly Row[] = [
  ...TRANSPORTS.map((transport) =>
    loadRow(transport, `tools/call, ${TITLES[transport]}, ${CLIENTS} clients`, {
      workload: { kind: 'call', transport },
      clients: CLIENTS,
      withSilent: true,
      goals: [beatsPeers(CALL_GOALS[transport])],
    }),
  ),
  LOG_ROW,
  REAL_ROW,
  askRow('begin', 'server/discover, tools/list and a call', {
    methods: ['server/discover', 'tools/list', 'tools/call'],
    times: 3,
  }),
  askRow('discover', 'server/discover', { methods: ['server/discover'], times: 4 }),
  askRow('list', 'tools/list', { methods: ['tools/list'], times: 4 }),
  loadRow('tools-valid', `GET /tools, valid token, ${CLIENTS} clients`, {
    workload: { kind: 'tools', valid: true },
    clients: CLIENTS,
    goals: [beatsPeers(1)],
  }),
  loadRow('tools-invalid', `GET /tools, invalid token, ${CLIENTS} clients`, {
    workload: { kind: 'tools', valid: false },
    clients: CLIENTS,
    goals: [beatsPeers(1)],
  }),
  ...SESSION_TRANSPORTS.map((transport) =>
    loadRow(`churn-${transport}`, `session opened, tools listed, a call, ended, ${TITLES[transport]}`, {
      workload: { kind: 'churn', transport },
      clients: CLIENTS,
      goals: [beatsPeers(1.5)],
    }),
  ),
  ...SESSION_TRANSPORTS.map((transport): Row => ({
    name: `idle-${transport}`,
    title: `idle session, ${TITLES[transport]}`,
    metric: 'heapKib',
    goals: [{ of: OURS.name, atMost: IDLE_KIB }],
    measure: (lab) => measureIdleSessions(lab, transport),
  })),
  {
    name: 'tokens',
    title: 'GET /tools by the number of tokens',
    metric: 'cpuMicros',
    measure: measureTokenCounts,
  },
  {
    name: 'reload',
    title: 'GET /tools at 200/s while every token is reloaded',
    metric: 'worstMs',
    measure: measureReload,
  },
  {
    name: 'edits',
    title: 'token commands on a file of as many tokens as above',
    metric: 'commandCpuMs',
    measure: measureEdits,
  },
  ...TRANSPORTS.map((transport) => echoRow(transport, { size: '10k', bytes: 10_000, clients: CLIENTS })),
  ...TRANSPORTS.map((transport) => echoRow(transport, { size: '1m', bytes: 1_000_000, clients: 4 })),
  ...FEATURES_ROWS,
  SIGN_IN_ROW,
  PROVIDER_ROW,
  ...MANY_ROWS,
  ...METRICS_ROWS,
  {
    name: 'start',
    title: 'start to the first answer',
    metric: 'startMs',
    goals: START_GOALS,
    measure: measureStart,
  },
  ...TRANSPORTS.map((transport) =>
    loadRow(`paced-${transport}`, `tools/call, ${TITLES[transport]}, ${PACE} calls/s`, {
      workload: { kind: 'call', transport },
      clients: CLIENTS,
      perSecond: PACE,
      goals: [{ ...beatsPeers(1), isApart: true }],
    }),
  ),
];

/** Makes the goal that the best peer's figure is at least this many times this server's. */
function beatsPeers(times: number): Goal {
  return { of: BEST_PEER, to: OURS.name, atLeast: times };
}

/** Makes a row of one load. */
function loadRow(name: string, title: string, { goals = [], ...load }: LoadRow & Pick<Row, 'goals'>): Row {
  return { name, title, metric: metricOf(load), goals, measure: (lab) => measureLoad(lab, load) };
}

/** Makes a row of stateless requests. */
function askRow(
  name: string,
  title: string,
  { methods, times }: { readonly methods: readonly AskedMethod[]; readonly times: number },
): Row {
  return loadRow(name, `${title}, ${TITLES.stateless}, ${CLIENTS} clients`, {
    workload: { kind: 'ask', transport: 'stateless', methods },
    clients: CLIENTS,
    goals: [beatsPeers(times)],
  });
}

/** Makes a row of echo_message with messages of one size. */
function echoRow(
  transport: Transport,
  { size, bytes, clients }: { readonly size: string; readonly bytes: number; readonly clients: number },
): Row {
  const title = `echo of ${bytes.toLocaleString('en')} bytes, ${TITLES[transport]}, ${clients} clients`;
  return loadRow(`echo-${size}-${transport}`, title, {
    workload: { kind: 'call', transport, messageBytes: bytes },
    clients,
  });
}
