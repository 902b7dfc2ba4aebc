/** What a row about another kind of token measures: calls with it, and with one of the token file, in turn at the same server. */
import { type Lab, startTarget } from '../lab.ts';
import type { Transport } from '../load/job.ts';
import type { Goal, Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { OURS } from '../targets.ts';
import { ONE_TOKEN, type TokenRange } from '../tokens.ts';
import { callsOver, CLIENTS, TRANSPORTS } from './pair-rows.ts';
import { measureSideBySide, type Side } from './side-by-side.ts';

/** A kind of token. */
export interface CredentialRow {
  readonly name: string;
  /** As figures call it. */
  readonly kind: string;
  /** So many times a call with a token of the file may cost. */
  readonly atMost: number;
  /** Settings of the server, and what ends beside it. */
  open(): Promise<{ readonly env: Readonly<Record<string, string>>; close(): void }>;
  /** The token, for the server at this port; clients name it 127.0.0.1. */
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

/** Measures both at one server: what it has compiled and collected is the same for both. */
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
