/** Measures how long some work blocks the event loop, in CPU time of this process: other load on the machine does not matter. */

/** The longest time in which nothing else got a turn of the event loop while `work` ran. Milliseconds. */
export async function longestTurnOf(work: () => Promise<unknown>): Promise<number> {
  let longestMs = 0;
  let before = process.cpuUsage();
  let isOver = false;
  const turn = (): void => {
    longestMs = Math.max(longestMs, millisecondsSince(before));
    before = process.cpuUsage();
    if (!isOver) setImmediate(turn);
  };
  turn();
  await work();
  isOver = true;
  turn();
  return longestMs;
}

/** How long the synchronous `work` takes, measured on its second run, when it has been compiled. Milliseconds. */
export function timeAtOnce(work: () => unknown): number {
  work();
  const before = process.cpuUsage();
  work();
  return millisecondsSince(before);
}

/** The CPU time since an earlier reading. Milliseconds. */
function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
