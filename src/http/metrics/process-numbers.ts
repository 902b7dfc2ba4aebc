/** Metrics of the Node.js process: memory, processor, and the delay of the event loop. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Gauge, type Family, type Labels, type Readings } from './families.ts';

/** The metrics of the process. */
export interface ProcessNumbers {
  readonly families: readonly Family[];
  /** Stops measuring. */
  close(): void;
}

/** How often the delay of the event loop is measured. Milliseconds. */
const RESOLUTION_MS = 20;

const NOTHING: Labels = {};

/** Starts measuring. */
export function measureProcess(): ProcessNumbers {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let used = performance.eventLoopUtilization();
  /** A delay without the time that the measurement itself waits. Seconds; 0 as long as nothing has been measured. */
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
  const delays = [
    ['p50', () => delay.percentile(50)],
    ['p90', () => delay.percentile(90)],
    ['p99', () => delay.percentile(99)],
    ['max', () => delay.max],
  ] as const;
  const families = [
    ...delays.map(
      ([what, read]) =>
        new Gauge({
          name: `nodejs_eventloop_delay_${what}_seconds`,
          help: `Delay of the event loop since the last scrape: ${what}.`,
          read: () => one(late(read())),
        }),
    ),
    new Gauge({
      name: 'nodejs_eventloop_utilization_ratio',
      help: 'The share of the time since the last scrape in which the event loop was busy.',
      read: () => {
        const before = used;
        used = performance.eventLoopUtilization();
        // This gauge is read after those of the delay, so that they can be reset here.
        delay.reset();
        return one(performance.eventLoopUtilization(used, before).utilization);
      },
    }),
    new Gauge({
      name: 'process_cpu_seconds_total',
      help: 'CPU time that the process has used.',
      type: 'counter',
      read: () => {
        const { user, system } = process.cpuUsage();
        return one((user + system) / 1e6);
      },
    }),
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Memory of the process.',
      read: () => one(process.memoryUsage.rss()),
    }),
    new Gauge({
      name: 'v8js_memory_heap_used_bytes',
      help: 'Memory that JavaScript uses.',
      read: () => one(process.memoryUsage().heapUsed),
    }),
    new Gauge({
      name: 'process_start_time_seconds',
      help: 'Start of the process, since the Unix epoch.',
      read: () => one(performance.timeOrigin / 1000),
    }),
  ];
  return { families, close: () => delay.disable() };
}

/** A reading without labels. */
function one(value: number): Readings {
  return [[NOTHING, value]];
}
