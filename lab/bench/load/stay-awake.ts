/**
 * Keeps this process from sleeping while it has nothing to do. A write to a sleeping process must wake it, which on some machines is
 * a call to the hypervisor that costs more than the write: this would count as the server's work, and only for servers
 * that are slower than their clients. For a process that has a core to itself.
 */

/** Keeps the process awake until the returned function is called. */
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
