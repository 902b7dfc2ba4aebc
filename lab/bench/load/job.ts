/** The jobs and the answers of the load generator. Both are sent between processes as JSON. */
import type { TokenRange } from '../tokens.ts';

/** The transports, by their names in rows. */
export type Transport = 'sse' | 'streamable' | 'stateless';

/** The transports that have sessions. */
export type SessionTransport = Exclude<Transport, 'stateless'>;

/** The methods that a client of the stateless revision asks. */
export type AskedMethod = 'server/discover' | 'tools/list' | 'tools/call';

/** What a client repeats. */
export type Workload =
  /** `tools/call`: of get_greeting, or of echo_message with a message of this many bytes. */
  | {
      readonly kind: 'call';
      readonly transport: Transport;
      readonly messageBytes?: number;
      /** The recorded client whose call is sent, with everything else that this client sends in it. */
      readonly sentAs?: string;
    }
  /** Stateless requests one after the other: all, or a part, of what a client asks at its start. */
  | { readonly kind: 'ask'; readonly transport: 'stateless'; readonly methods: readonly AskedMethod[] }
  /** `GET /tools` with a valid token, or with an unknown one. */
  | { readonly kind: 'tools'; readonly valid: boolean }
  /** Opens a session, uses it once, and ends it. */
  | { readonly kind: 'churn'; readonly transport: SessionTransport };

/** The port and the process of a server. */
export interface ServerAddress {
  readonly port: number;
  readonly pid: number;
}

/** Other processes of the loaded server. Sessions open at each in turn; messages go to their session's process, to the others, or to each in turn. */
export interface Fleet {
  readonly others: readonly ServerAddress[];
  readonly messages: 'home' | 'away' | 'in turn';
}

/** A job to measure one load. */
export interface LoadJob {
  readonly type: 'load';
  readonly server: ServerAddress;
  readonly fleet?: Fleet;
  readonly workload: Workload;
  readonly clients: number;
  readonly tokens: TokenRange;
  /** How much CPU time the server spends on calls before any is counted; the warm-up takes at most three times as long. Milliseconds. */
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** The fixed rate of calls. Without it, every client calls again as soon as it has its answer. */
  readonly perSecond?: number;
}

/** A job to open sessions that do nothing, and keep them until the next job. */
export interface HoldJob {
  readonly type: 'hold';
  readonly server: ServerAddress;
  readonly transport: SessionTransport;
  readonly sessions: number;
}

/** A job to close the sessions that are kept open. */
export interface ReleaseJob {
  readonly type: 'release';
}

export type Job = LoadJob | HoldJob | ReleaseJob;

/** The result of a measurement. */
export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  /** The CPU time of the server's process, or of all its processes; user and system. Milliseconds. */
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

/** The generator's answer to a job. */
export type Reply =
  | { readonly ok: true; readonly result: LoadResult | undefined }
  | { readonly ok: false; readonly problem: string };
