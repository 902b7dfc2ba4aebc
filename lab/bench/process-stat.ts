/** Reads from /proc what the kernel knows of a process: CPU time and resident memory. Linux only. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds per clock tick, the unit of /proc/PID/stat; read once. */
let tickMs: number | undefined;

/** The CPU time that a process has used so far, all its threads, user and system. Milliseconds, in steps of a clock tick. */
export function readCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in parentheses and may hold spaces; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  tickMs ??= 1000 / clockTicksPerSecond();
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** The resident memory of a process. Bytes. */
export function readResidentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (kib === undefined) throw new Error(`Process ${pid} has ended.`);
  return Number(kib) * 1024;
}

/** How long a server must be nearly idle to have loaded everything; this one loads in steps of 500 ms. Milliseconds. */
const QUIET_MS = 700;
/** The CPU time that timers, and a profiler, may use in that time. Milliseconds. */
const NEXT_TO_NOTHING_MS = 70;
/** How often that is waited for; after that, the server is measured as it is. */
const MAX_WAITS = 8;

/** Resolves when a process has been quiet for a while: what it loads after its start is no part of a call's cost. */
export async function waitUntilQuiet(pid: number): Promise<void> {
  for (let waits = 0, before = readCpuMs(pid); waits < MAX_WAITS; waits += 1) {
    await sleep(QUIET_MS);
    const now = readCpuMs(pid);
    if (now - before < NEXT_TO_NOTHING_MS) return;
    before = now;
  }
}

/** How many clock ticks the kernel counts in a second: nearly always 100. */
function clockTicksPerSecond(): number {
  try {
    return Number(
      execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    return 100;
  }
}
