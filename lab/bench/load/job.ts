/** What the load generator is asked for, and what it answers. Both travel between processes as JSON. */
import type { TokenRange } from '../tokens.ts';

/** The transports by the names of the rows. */
export type Transport = 'sse' | 'streamable' | 'stateless';

/** The transports with something to open and to close. */
export type SessionTransport = Exclude<Transport, 'stateless'>;

/** What a client of the stateless revision asks. */
export type AskedMethod = 'server/discover' | 'tools/list' | 'tools/call';

/** What a client does again and again. */
export type Workload =
  /** `tools/call`: of get_greeting, or of echo_message with a message of this many bytes. */
  | {
      readonly kind: 'call';
      readonly transport: Transport;
      readonly messageBytes?: number;
      /** The recorded client as which it is sent, with all that this one says besides. */
      readonly sentAs?: string;
    }
  /** Requests that stand alone, one after the other: what a client asks that begins, or a part of it. */
  | { readonly kind: 'ask'; readonly transport: 'stateless'; readonly methods: readonly AskedMethod[] }
  /** `GET /tools` with a token that is valid, or with one that is not. */
  | { readonly kind: 'tools'; readonly valid: boolean }
  /** Opens a session, initializes it, ends it. */
  | { readonly kind: 'churn'; readonly transport: SessionTransport };

/** How a server is reached. */
export interface ServerAddress {
  readonly port: number;
  readonly pid: number;
}

/** Other processes that are one server with the one that is loaded. Sessions are opened at each in turn; messages go to where their session was opened, to the others, or to each in turn. */
export interface Fleet {
  readonly others: readonly ServerAddress[];
  readonly messages: 'home' | 'away' | 'in turn';
}

/** One measurement. */
export interface LoadJob {
  readonly type: 'load';
  readonly server: ServerAddress;
  readonly fleet?: Fleet;
  readonly workload: Workload;
  readonly clients: number;
  readonly tokens: TokenRange;
  /** CPU time that the server spends on calls that are not counted; at most three times as long. */
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** So many per second, whatever the server does; without it every client starts again as soon as it can. */
  readonly perSecond?: number;
}

/** Sessions that are opened and then do nothing, until the next job. */
export interface HoldJob {
  readonly type: 'hold';
  readonly server: ServerAddress;
  readonly transport: SessionTransport;
  readonly sessions: number;
}

/** Ends the sessions that are held. */
export interface ReleaseJob {
  readonly type: 'release';
}

export type Job = LoadJob | HoldJob | ReleaseJob;

/** What a measurement saw. */
export interface LoadResult {
  readonly calls: number;
  readonly seconds: number;
  /** CPU time of the server's process, or of all its processes, user and system. */
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

/** The generator's answer. */
export type Reply =
  | { readonly ok: true; readonly result: LoadResult | undefined }
  | { readonly ok: false; readonly problem: string };
