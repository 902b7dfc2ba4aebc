/** How long some work keeps everybody else waiting, in time of this process's processor: how busy the machine is does not matter. */

/** The longest time, in milliseconds, in which nothing else got its turn while `work` was done. */
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

/** How long `work` takes at once, in milliseconds: the second time, when it has been compiled. */
export function timeAtOnce(work: () => unknown): number {
  work();
  const before = process.cpuUsage();
  work();
  return millisecondsSince(before);
}

/** The time of the processor since it was last looked at. */
function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
