/** Opens the services at the start and closes them at the end, each with a deadline. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { OpenService, Service, UseService } from '../mcp/service.ts';

/** The services of a running server. */
export interface OpenServices {
  /**
   * The instance of a service.
   * @throws when the service is not one of the definition's
   */
  readonly use: UseService;
  readonly names: readonly string[];
  /** The names of those that cannot do their work at this moment. */
  findUnready(): Promise<string[]>;
  /** Closes them, last opened first; a failure is logged and keeps no other from being closed. */
  close(): Promise<void>;
}

/** What services are opened with. */
export interface ServicesOptions {
  readonly services: readonly Service[];
  /** The values of their variables, by name. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly log: Logger;
  /** Where relative paths begin; by default in the working folder. */
  readonly folder?: string;
  readonly deadlines?: Deadlines;
}

/** How long a service may take. Milliseconds. */
export interface Deadlines {
  readonly openMs: number;
  readonly readyMs: number;
  readonly closeMs: number;
}

const DEADLINES: Deadlines = { openMs: 30_000, readyMs: 2_000, closeMs: 5_000 };

/** A service that did not open; the start ends with its message. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
}

/**
 * Opens the services one after the other.
 * @throws {ServiceError} naming the one that did not open; those before it have been closed
 */
export async function openServices(options: ServicesOptions): Promise<OpenServices> {
  const { services, values, log, folder = process.cwd(), deadlines = DEADLINES } = options;
  const open = new Map<Service, OpenService>();
  const closeAll = async (): Promise<void> => {
    for (const [{ name }, service] of [...open].toReversed()) {
      const closed = within(deadlines.closeMs, () => service.close());
      await closed.catch((error: unknown) =>
        log.error({ err: error, service: name }, 'service did not close'),
      );
    }
    open.clear();
  };
  for (const service of services) {
    const { name } = service;
    try {
      const opened = await within(deadlines.openMs, (signal) =>
        service.open(values, { log: log.child({ service: name }), folder, signal }),
      );
      open.set(service, opened);
    } catch (error) {
      await closeAll();
      throw new ServiceError(`The service "${name}" did not open: ${reasonOf(error)}`, { cause: error });
    }
  }
  return {
    use: createUse(open),
    names: services.map(({ name }) => name),
    async findUnready() {
      const verdicts = await Promise.all(
        [...open].map(async ([{ name }, service]) => {
          const isReady = await within(deadlines.readyMs, () => service.isReady()).catch(() => false);
          return isReady ? [] : [name];
        }),
      );
      return verdicts.flat();
    },
    close: closeAll,
  };
}

/** How a service's instance is found. */
function createUse(open: ReadonlyMap<Service, OpenService>): UseService {
  return <Instance>(service: Service<Instance>): Instance => {
    const found = open.get(service);
    if (found === undefined) {
      throw new Error(`The service "${service.name}" is not open. Is it in src/services/index.ts?`);
    }
    // oxlint-disable-next-line no-unsafe-type-assertion -- this very service opened it
    return found.instance as Instance;
  };
}

/** No services at all. */
export const NO_SERVICES: OpenServices = {
  use: createUse(new Map()),
  names: [],
  findUnready: async () => [],
  close: async () => {},
};

/** Runs something that must be done within a time; its signal is aborted when it is not. */
async function within<Result>(
  limitMs: number,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const timer = new AbortController();
  const late = delay(limitMs, undefined, { signal: timer.signal }).then(() => {
    abort.abort();
    throw new Error(`it took longer than ${limitMs / 1000} s`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([run(abort.signal), late]);
  } finally {
    timer.abort();
  }
}

/** An error's message. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
