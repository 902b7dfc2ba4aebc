/** The rows about features that calls and sessions do not use: the same server with those of the worked application, and without. */
import { fileURLToPath } from 'node:url';
import type { Lab } from '../lab.ts';
import type { Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { OURS, type Target } from '../targets.ts';
import { IDLE_KIB, measureIdle } from './idle-row.ts';
import { CLIENTS, measureCalls, nameOf, TRANSPORTS } from './pair-rows.ts';

const WITH: Target = {
  ...OURS,
  name: 'with features',
  script: fileURLToPath(new URL('../../fixture/with-example.js', import.meta.url)),
};
const WITHOUT: Target = { ...OURS, name: 'without' };

/** How much more heap an idle session may take with features than without. KiB. */
const MORE_KIB = 0.5;

const SESSION_TRANSPORTS = ['streamable', 'sse'] as const;

/** Calls over each transport, and idle sessions. */
export const FEATURES_ROWS: readonly Row[] = [
  {
    name: 'features',
    title: `tools/call with the worked application's features beside, ${CLIENTS} clients`,
    metric: 'cpuMicros',
    goals: TRANSPORTS.map((transport) => ({
      of: nameOf(transport, WITH),
      to: nameOf(transport, WITHOUT),
      atMost: 1.1,
    })),
    measure: (lab) => measureCalls(lab, [WITHOUT, WITH]),
  },
  {
    name: 'features-idle',
    title: "idle sessions with the worked application's features beside",
    metric: 'heapKib',
    goals: SESSION_TRANSPORTS.flatMap((transport) => [
      { of: nameOf(transport, WITH), atMost: IDLE_KIB },
      { of: nameOf(transport, WITH), above: nameOf(transport, WITHOUT), atMost: MORE_KIB },
    ]),
    measure: measureSessions,
  },
];

/** Measures the same idle sessions with and without features. */
async function measureSessions(lab: Lab): Promise<Series[]> {
  const series: Series[] = [];
  for (const transport of SESSION_TRANSPORTS) {
    for (const target of [WITHOUT, WITH]) {
      const server = nameOf(transport, target);
      lab.progress(`${lab.settings.idleSessions} sessions: ${server}`);
      series.push({ server, kind: 'variant', rounds: [await measureIdle(lab, target, transport)] });
    }
  }
  return series;
}
