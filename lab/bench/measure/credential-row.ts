/** Rows about another kind of token: calls with it, and with a token of the file, in turn at the same server. */
import { type Lab, startTarget } from '../lab.ts';
import type { Transport } from '../load/job.ts';
import type { Goal, Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { OURS } from '../targets.ts';
import { ONE_TOKEN, type TokenRange } from '../tokens.ts';
import { callsOver, CLIENTS, TRANSPORTS } from './pair-rows.ts';
import { measureSideBySide, type Side } from './side-by-side.ts';

/** A row about a kind of token. */
export interface CredentialRow {
  readonly name: string;
  /** The kind's name in the figures. */
  readonly kind: string;
  /** How many times the CPU time of a call with a token of the file such a call may take. */
  readonly atMost: number;
  /** Returns settings of the server, and closes what else was started. */
  open(): Promise<{ readonly env: Readonly<Record<string, string>>; close(): void }>;
  /** Gets a token for the server at this port, which clients reach as 127.0.0.1. */
  tokenFor(port: number): Promise<string>;
}

const STATIC = 'of the file';

/** Makes the row. */
export function credentialRow(row: CredentialRow): Row {
  const { name, kind, atMost } = row;
  return {
    name,
    title: `tools/call with a token ${kind}, and ${STATIC}, ${CLIENTS} clients`,
    metric: 'cpuMicros',
    goals: TRANSPORTS.map((transport): Goal => ({
      of: `${transport}, ${kind}`,
      to: `${transport}, ${STATIC}`,
      atMost,
    })),
    measure: (lab) => measure(lab, row),
  };
}

/** Measures both kinds at one server, so that both find the same compiled code and the same heap. */
async function measure(lab: Lab, { kind, open, tokenFor }: CredentialRow): Promise<Series[]> {
  const { env, close } = await open();
  try {
    const { port, pid, stop } = await startTarget(lab, OURS, { env });
    try {
      const text = await tokenFor(port);
      const side = (transport: Transport, name: string, tokens: TokenRange): Side => ({
        name: `${transport}, ${name}`,
        kind: 'variant',
        open: async () => ({ load: { server: { port, pid }, ...callsOver(transport), tokens } }),
      });
      return await measureSideBySide(
        lab,
        TRANSPORTS.map((transport) => [
          side(transport, STATIC, ONE_TOKEN),
          side(transport, kind, { ...ONE_TOKEN, text }),
        ]),
      );
    } finally {
      await stop();
    }
  } finally {
    close();
  }
}
