/** What a row about another kind of token measures: calls with it, and with one of the token file, in turn at the same server. */
import { type Contestant, figuresOf, type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Transport } from '../load/job.ts';
import type { Goal, Series } from '../metrics.ts';
import type { Row } from '../rows.ts';
import { OURS } from '../targets.ts';
import { ONE_TOKEN, type TokenRange } from '../tokens.ts';

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

const TRANSPORTS = ['streamable', 'stateless', 'sse'] as const satisfies readonly Transport[];
const CLIENTS = 32;
const STATIC = 'of the file';

/** A client's kind of token on a transport. */
interface CredentialContestant extends Contestant {
  readonly transport: Transport;
  readonly tokens: TokenRange;
}

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
      const contestants = TRANSPORTS.flatMap((transport): CredentialContestant[] => [
        { name: `${transport}, ${STATIC}`, kind: 'variant', transport, tokens: ONE_TOKEN },
        { name: `${transport}, ${kind}`, kind: 'variant', transport, tokens: { ...ONE_TOKEN, text } },
      ]);
      return await takeTurns(lab, contestants, async ({ transport, tokens }) =>
        figuresOf(
          await lab.generator.load({
            server: { port, pid },
            workload: { kind: 'call', transport },
            clients: CLIENTS,
            tokens,
            warmUpMs: lab.settings.warmUpMs,
            durationMs: lab.settings.durationMs,
          }),
        ),
      );
    } finally {
      await stop();
    }
  } finally {
    close();
  }
}
