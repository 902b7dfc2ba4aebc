/** Opens the services at the start and closes them at the end, each with a deadline. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Changes, createChanges } from '../mcp/changes.ts';
import type { OpenService, Service, UseService } from '../mcp/service.ts';

/** The services of a running server. */
export interface OpenServices {
  /**
   * Returns the instance of a service.
   * @throws {Error} when the service is not one of the definition's
   */
  readonly use: UseService;
  readonly names: readonly string[];
  /** The hub by which they notify clients. A server is handed it, so that it is the server's, too; undefined where there are no services. */
  readonly changes: Changes | undefined;
  /** Returns the names of the services that cannot do their work at the moment. */
  findUnready(): Promise<string[]>;
  /** Closes the services, last opened first; a failure is logged, and the others are closed all the same. */
  close(): Promise<void>;
}

/** The options of {@link openServices}. */
export interface ServicesOptions {
  readonly services: readonly Service[];
  /** The values of their variables, by name. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly log: Logger;
  /** The folder of relative paths. Default: the working directory. */
  readonly folder?: string;
  readonly deadlines?: Deadlines;
  /** Called before the first service is opened, with a function that closes those that are open by then: the start may end early. */
  readonly onBegin?: (close: () => Promise<void>) => void;
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
  const { services, values, log, folder = process.cwd(), deadlines = DEADLINES, onBegin } = options;
  const [open, changes] = [new Map<Service, OpenService>(), createChanges(log)];
  const use = createUse(open);
  const ended = new AbortController();
  const closeAll = async (): Promise<void> => {
    for (const [{ name }, service] of [...open].toReversed()) {
      const closed = within({ limitMs: deadlines.closeMs }, () => service.close());
      await closed.catch((error: unknown) =>
        log.error({ err: error, service: name }, 'service did not close'),
      );
    }
    open.clear();
  };
  const openAll = async (): Promise<void> => {
    for (const service of services) {
      const { name } = service;
      const context = { log: log.child({ service: name }), folder, changes: changes.notifier, use };
      try {
        if (open.has(service)) throw new Error('it is listed twice');
        const opened = await within({ limitMs: deadlines.openMs, ended: ended.signal }, (signal) =>
          service.open(values, { ...context, signal }),
        );
        open.set(service, opened);
        ended.signal.throwIfAborted();
      } catch (error) {
        await closeAll();
        throw new ServiceError(`The service "${name}" did not open: ${reasonOf(error)}`, { cause: error });
      }
    }
  };
  const opening = openAll();
  const close = async (): Promise<void> => {
    ended.abort(new Error('the start has ended'));
    // A service that is being opened is told to stop. If it opens all the same, it is closed, too.
    await within({ limitMs: deadlines.closeMs }, () => opening).catch(() => undefined);
    await closeAll();
  };
  onBegin?.(close);
  await opening;
  return {
    use,
    names: services.map(({ name }) => name),
    changes,
    async findUnready() {
      const verdicts = await Promise.all(
        [...open].map(async ([{ name }, service]) => {
          const isReady = await within({ limitMs: deadlines.readyMs }, () => service.isReady()).catch(
            () => false,
          );
          return isReady ? [] : [name];
        }),
      );
      return verdicts.flat();
    },
    close,
  };
}

/** Makes `use`, which finds the instance of a service. */
function createUse(open: ReadonlyMap<Service, OpenService>): UseService {
  return <Instance>(service: Service<Instance>): Instance => {
    const found = open.get(service);
    if (found === undefined) {
      throw new Error(
        `The service "${service.name}" is not open. List it in src/services/index.ts, before the services that use it.`,
      );
    }
    // oxlint-disable-next-line no-unsafe-type-assertion -- this very service opened it
    return found.instance as Instance;
  };
}

/** No services at all. */
export const NO_SERVICES: OpenServices = {
  use: createUse(new Map()),
  names: [],
  changes: undefined,
  findUnready: async () => [],
  close: async () => {},
};

/**
 * Runs something that must end within a time. Its signal is aborted when the time is over, and when `ended` is aborted.
 * @throws {Error} when the time is over
 */
async function within<Result>(
  { limitMs, ended }: { readonly limitMs: number; readonly ended?: AbortSignal },
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const timer = new AbortController();
  const stop = (): void => abort.abort();
  ended?.addEventListener('abort', stop, { signal: timer.signal });
  const late = delay(limitMs, undefined, { signal: timer.signal }).then(() => {
    stop();
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
