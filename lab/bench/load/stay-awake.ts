/**
 * Keeps this process from sleeping while it has nothing to do. Whoever writes to a process that sleeps must wake it, on some machines
 * with a call to the hypervisor that costs more than the write: that would be counted as the server's work, and only for servers
 * that are slower than their clients. For a process that has a core of its own.
 */

/** Stays awake until the returned function is called. */
export function stayAwake(): () => void {
  let isAwake = true;
  const goOn = (): void => {
    if (isAwake) setImmediate(goOn);
  };
  goOn();
  return () => {
    isAwake = false;
  };
}
