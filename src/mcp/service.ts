/** What a service is: something that is opened once at the start, used by tools and features, and closed after the last call. */
import type { ServerNotifier } from '@modelcontextprotocol/server';
import type { Logger } from 'pino';
import type { ValuesOf, Variables } from '../config/variable.ts';

/** The context in which a service opens. */
export interface ServiceContext {
  /** The server's log; each line carries the service's name. */
  readonly log: Logger;
  /** The folder of relative paths: the working directory, or the package's folder for a stdio server, whose working directory its host chooses. */
  readonly folder: string;
  /** Notifies the clients of every transport and revision that something has changed: a list, or a resource that they have subscribed to. */
  readonly changes: ServerNotifier;
  /** Returns a service that stands before this one in the list of services: it is opened first, and closed last. */
  readonly use: UseService;
  /** Aborted when opening takes too long, or the start ends. */
  readonly signal: AbortSignal;
}

/** A service as its file declares it, with the types of its own variables. */
export interface ServiceDefinition<Instance, Own extends Variables> {
  /** Its name in messages and in the log. */
  readonly name: string;
  /** The environment variables that it reads: parsed, reported and listed with the server's own. */
  readonly variables?: Own;
  /** Opens it. When that fails, the start fails with the service's name and the error's message. */
  open(values: ValuesOf<Own>, context: ServiceContext): Instance | Promise<Instance>;
  /** Whether it can do its work at the moment; `/ready` asks. Default: always. */
  isReady?(instance: Instance): boolean | Promise<boolean>;
  /** Closes it, after the last call that could use it has ended. */
  close?(instance: Instance): void | Promise<void>;
}

/** A service as the server handles it, and the key by which tools ask for it. */
export interface Service<Instance = unknown> {
  readonly name: string;
  readonly variables: Variables;
  /** Opens it with the values of all variables. Returns the open service, which can be asked whether it is ready, and closed. */
  open(values: Readonly<Record<string, unknown>>, context: ServiceContext): Promise<OpenService<Instance>>;
}

/** A service that is open. */
export interface OpenService<Instance = unknown> {
  readonly instance: Instance;
  isReady(): Promise<boolean>;
  close(): Promise<void>;
}

/** Returns the instance of an open service, to tools, features, and services that are opened later. */
export type UseService = <Instance>(service: Service<Instance>) => Instance;

/** Declares a service; its variables give `open` its types. */
export function defineService<Instance, Own extends Variables = Record<string, never>>(
  definition: ServiceDefinition<Instance, Own>,
): Service<Instance> {
  const { name, variables } = definition;
  return {
    name,
    variables: variables ?? {},
    async open(values, context) {
      // oxlint-disable-next-line no-unsafe-type-assertion -- the configuration holds what the variables' own schemas made
      const instance = await definition.open(values as ValuesOf<Own>, context);
      return {
        instance,
        isReady: async () => (await definition.isReady?.(instance)) ?? true,
        close: async () => definition.close?.(instance),
      };
    },
  };
}
