/** Measures what an idle session costs: JS heap after a collection, resident memory, CPU time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startTarget } from '../lab.ts';
import type { SessionTransport } from '../load/job.ts';
import type { Figures, Series } from '../metrics.ts';
import { readCpuMs, readResidentBytes } from '../process-stat.ts';
import type { Target } from '../targets.ts';

/** How many sessions come and go before anything is measured, so that what a server makes only once does not count. */
const FIRST_SESSIONS = 50;

/** How long a server has to settle after many sessions were opened or closed. Milliseconds. */
const SETTLE_MS = 500;

/** The most heap that an idle session may take. KiB. */
export const IDLE_KIB = 7.5;

/** Measures each server that has the transport, one after the other. */
export async function measureIdleSessions(lab: Lab, transport: SessionTransport): Promise<Series[]> {
  const series: Series[] = [];
  for (const target of lab.targets) {
    if (!target.transports.includes(transport) || target.env['LOG_LEVEL'] === 'warn') continue;
    lab.progress(`${lab.settings.idleSessions} sessions: ${target.name}`);
    series.push({
      server: target.name,
      kind: target.kind,
      rounds: [await measureIdle(lab, target, transport)],
    });
  }
  return series;
}

/** Measures one server. */
export async function measureIdle(lab: Lab, target: Target, transport: SessionTransport): Promise<Figures> {
  const { generator, settings } = lab;
  const server = await startTarget(lab, target, { withHeapProbe: true });
  const address = { port: server.port, pid: server.pid };
  try {
    await generator.hold({ server: address, transport, sessions: FIRST_SESSIONS });
    await generator.release();
    await sleep(SETTLE_MS);
    const heapBefore = await server.heapBytes();
    const residentBefore = readResidentBytes(server.pid);

    await generator.hold({ server: address, transport, sessions: settings.idleSessions });
    await sleep(SETTLE_MS);
    const heapAfter = await server.heapBytes();
    const residentAfter = readResidentBytes(server.pid);
    await sleep(settings.calmMs);
    const cpuBeforeMs = readCpuMs(server.pid);
    await sleep(settings.idleMs);
    const idleCpuMs = readCpuMs(server.pid) - cpuBeforeMs;

    const kib = 1024 * settings.idleSessions;
    return {
      heapKib: (heapAfter - heapBefore) / kib,
      residentKib: (residentAfter - residentBefore) / kib,
      idleCpuPercent: (100 * idleCpuMs) / settings.idleMs,
    };
  } finally {
    await server.stop();
    await generator.release();
  }
}
