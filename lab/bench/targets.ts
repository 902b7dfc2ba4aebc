/** The servers that are measured: this one, the floor and the peers. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Transport } from './load/job.ts';

/** A server to measure. */
export interface Target {
  readonly name: string;
  readonly kind: 'ours' | 'floor' | 'peer' | 'variant';
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  readonly transports: readonly Transport[];
  /** Whether a peer answers `GET /tools`, which only this server defines. */
  readonly listsTools?: boolean;
  /** The path of the Node that runs it. Default: the Node that measures. */
  readonly node?: string;
}

const ALL: readonly Transport[] = ['sse', 'streamable', 'stateless'];

/** The settings of this server: authentication on, limits out of reach, and the default log, which nobody reads. */
const OUR_SETTINGS = {
  AUTH_ENABLED: 'true',
  TOKENS_FILE: 'tokens.json',
  AUTH_FAILURES_PER_MINUTE: '1000000',
  MAX_SESSIONS: '1000000',
  MAX_SESSIONS_PER_USER: '1000000',
  CALLS_PER_MINUTE: '0',
  LOG_LEVEL: 'info',
} as const;

/** This server, with the tools that the others also have. */
export const OURS: Target = {
  name: 'this server',
  kind: 'ours',
  script: fileURLToPath(new URL('../fixture/main.js', import.meta.url)),
  env: OUR_SETTINGS,
  transports: ALL,
};

/** This server, with as little logging as the others. */
export const OURS_SILENT: Target = {
  ...OURS,
  name: 'this server, LOG_LEVEL=warn',
  env: { ...OUR_SETTINGS, LOG_LEVEL: 'warn' },
};

/** The server that does the least that Node can. */
export const FLOOR: Target = {
  name: 'floor (bare node:http)',
  kind: 'floor',
  script: fileURLToPath(new URL('./floor.js', import.meta.url)),
  env: {},
  transports: ALL,
};

/** The folder in the checkout in which the peers are installed; this file runs in dist/lab/bench. */
export const PEERS_FOLDER = fileURLToPath(new URL('../../../lab/bench/peers', import.meta.url));

/** The peers, with the transports that each supports. */
export const PEERS: readonly Target[] = [
  peer('SDK v1 on Express', 'express-sdk-v1.mjs', ['sse', 'streamable']),
  { ...peer('SDK v2 on node:http', 'sdk-v2.mjs', ['streamable', 'stateless']), listsTools: true },
  peer('fastmcp', 'fastmcp.mjs', ['sse', 'streamable']),
  peer('tmcp', 'tmcp.mjs', ALL),
  peer('mcp-lite', 'mcp-lite.mjs', ['streamable']),
];

/** Makes a peer; its version is in lab/bench/peers/package.json. */
function peer(name: string, file: string, transports: readonly Transport[]): Target {
  return {
    name,
    kind: 'peer',
    script: path.join(PEERS_FOLDER, file),
    env: { NODE_ENV: 'production' },
    transports,
  };
}
