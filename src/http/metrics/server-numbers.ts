/** Metrics that are read from the parts of the server on demand. */
import type { TokenVerifier } from '../../auth/verifier.ts';
import type { InFlight } from '../../mcp/in-flight.ts';
import type { Peers } from '../../sessions/peers.ts';
import type { SessionRegistry } from '../../sessions/registry.ts';
import { Gauge, type Family, type Labels, type Readings } from './families.ts';

/** The parts that are read. */
export interface ServerPartsToRead {
  readonly version: string;
  readonly registry: SessionRegistry;
  readonly inFlight: InFlight;
  readonly peers: Pick<Peers, 'standing' | 'isRefused'>;
  readonly verifier: TokenVerifier | undefined;
  /** The services that the server needs, by name. */
  readonly services: { readonly names: readonly string[]; findUnready(): Promise<readonly string[]> };
}

/** Makes the metrics of the parts. Values that must be awaited are read first. */
export async function readServer(parts: ServerPartsToRead): Promise<Family[]> {
  const { version, registry, inFlight, peers, verifier, services } = parts;
  const unready = await services.findUnready();
  const tokens = verifier?.countTokens?.();
  const isFollowing = verifier?.isFollowing?.();
  return [
    new Gauge({
      name: 'mcp_server_info',
      help: 'The version of the server.',
      read: () => [[{ version }, 1]],
    }),
    new Gauge({
      name: 'mcp_server_sessions',
      help: 'Open sessions, by transport and revision.',
      read: () => countSessions(registry, () => 1),
    }),
    new Gauge({
      name: 'mcp_server_streams',
      help: 'Open streams of sessions, likewise.',
      read: () => countSessions(registry, ({ streams }) => streams),
    }),
    new Gauge({
      name: 'mcp_server_calls_in_flight',
      help: 'Calls that are being worked on.',
      read: () => [[{}, inFlight.calls]],
    }),
    ...(tokens === undefined
      ? []
      : [
          new Gauge({
            name: 'mcp_server_tokens',
            help: 'Tokens that are known, valid or not.',
            read: () => [[{}, tokens]],
          }),
        ]),
    new Gauge({
      name: 'mcp_server_dependency_up',
      help: 'Whether what the server needs can be reached, and redis takes writes: redis, the database of the tokens, and services by their names.',
      read: () =>
        readDependencies([
          ...(peers.standing === 'alone'
            ? []
            : [['redis', peers.standing === 'together' && !peers.isRefused] as const]),
          ...(isFollowing === undefined ? [] : [['tokens', isFollowing] as const]),
          ...services.names.map((name) => [name, !unready.includes(name)] as const),
        ]),
    }),
  ];
}

/** Whether each dependency can be reached. Two that have the same name share one series, as Prometheus accepts no duplicates. */
function readDependencies(dependencies: readonly (readonly [name: string, isUp: boolean])[]): Readings {
  const names = new Set(dependencies.map(([name]) => name));
  const down = new Set(dependencies.flatMap(([name, isUp]) => (isUp ? [] : [name])));
  return [...names].map((dependency) => [{ dependency }, down.has(dependency) ? 0 : 1] as const);
}

/** Sums `count` over the sessions, by transport and revision. */
function countSessions(
  registry: SessionRegistry,
  count: (session: { readonly streams: number }) => number,
): Readings {
  const sums = new Map<string, [Labels, number]>();
  for (const session of registry.all()) {
    const { kind, connection } = session;
    const version = connection.protocolVersion ?? '';
    const key = `${kind}\n${version}`;
    const sum = sums.get(key) ?? [{ mcp_transport: kind, mcp_protocol_version: version }, 0];
    sum[1] += count(session);
    sums.set(key, sum);
  }
  return sums.values();
}
