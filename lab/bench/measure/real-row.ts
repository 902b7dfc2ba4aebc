/** The row about calls of real clients: the same call bare, and as each recorded client sends it, to one server. */
import { type RecordedClient, readRecordedClients } from '../../fixture/recorded-clients.ts';
import { startTarget } from '../lab.ts';
import type { Transport } from '../load/job.ts';
import type { Row } from '../rows.ts';
import { OURS } from '../targets.ts';
import { callsOver, CLIENTS, TRANSPORTS } from './pair-rows.ts';
import { measureSideBySide, type Side } from './side-by-side.ts';

const BARE = 'bare';

export const REAL_ROW: Row = {
  name: 'real',
  title: `tools/call as real clients send it, and bare, ${CLIENTS} clients`,
  metric: 'cpuMicros',
  // A getter, since nothing may be read at import.
  get goals() {
    return TRANSPORTS.flatMap((transport) =>
      clientsOver(transport).map(({ name }) => ({
        of: `${transport}, ${name}`,
        to: `${transport}, ${BARE}`,
        atMost: 1.15,
      })),
    );
  },
  async measure(lab) {
    const { port, pid, stop } = await startTarget(lab, OURS);
    const side = (transport: Transport, client?: RecordedClient): Side => ({
      name: `${transport}, ${client?.name ?? BARE}`,
      kind: 'variant',
      open: async () => ({
        load: {
          ...callsOver(transport),
          server: { port, pid },
          workload: { kind: 'call', transport, ...(client && { sentAs: client.name }) },
        },
      }),
    });
    try {
      return await measureSideBySide(
        lab,
        TRANSPORTS.map((transport) =>
          [undefined, ...clientsOver(transport)].map((client) => side(transport, client)),
        ),
      );
    } finally {
      await stop();
    }
  },
};

/** The recorded clients of a transport. None was recorded over HTTP+SSE; Claude Code also uses it, with the same messages. */
function clientsOver(transport: Transport): RecordedClient[] {
  const clients = readRecordedClients().filter(
    ({ isStateless }) => isStateless === (transport === 'stateless'),
  );
  return transport === 'sse' ? clients.filter(({ name }) => name.startsWith('Claude Code')) : clients;
}
