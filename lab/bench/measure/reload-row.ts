/** Measures how long requests wait while a large token file is replaced and read again. */
import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Lab, startTarget, takeTurns } from '../lab.ts';
import { requireStatus } from '../load/answers.ts';
import { HttpConnection } from '../load/http-connection.ts';
import { createSpeller } from '../load/requests.ts';
import type { Figures, Series } from '../metrics.ts';
import { OURS } from '../targets.ts';
import { markedToken, ONE_TOKEN, writeTokenFile } from '../tokens.ts';

const PER_SECOND = 200;
const CLIENTS = 32;

/** How long after the start of the window the file is replaced. Milliseconds. */
const REPLACE_AFTER_MS = 1_000;

/** Measures this server with and without a reload. */
export async function measureReload(lab: Lab): Promise<Series[]> {
  const server = await startTarget(lab, OURS, { tokens: lab.settings.tokens });
  const { port, pid, tokenFile } = server;
  let version = 0;

  const measure = async (): Promise<Figures> => {
    const { worstMs, ...result } = await lab.generator.load({
      server: { port, pid },
      workload: { kind: 'tools', valid: true },
      clients: CLIENTS,
      tokens: ONE_TOKEN,
      warmUpMs: lab.settings.settleMs,
      durationMs: lab.settings.reloadMs,
      perSecond: PER_SECOND,
    });
    return { worstMs, p50Ms: result.p50Ms, p99Ms: result.p99Ms };
  };
  const replaceLater = async (next: string): Promise<void> => {
    await sleep(lab.settings.settleMs + REPLACE_AFTER_MS);
    await rename(next, tokenFile);
  };
  const measureWithReload = async (): Promise<Figures> => {
    version += 1;
    const next = `${tokenFile}.next`;
    // Every entry differs from before. The file is written before the window begins, and renamed within it.
    await writeTokenFile(next, lab.settings.tokens, String(version));
    const [figures] = await Promise.all([measure(), replaceLater(next)]);
    await requireKnownToken(port, markedToken(String(version)));
    return figures;
  };
  try {
    return await takeTurns(
      lab,
      [
        { name: 'during a reload', kind: 'variant', measure: measureWithReload },
        { name: 'without a reload', kind: 'variant', measure },
      ],
      (contestant) => contestant.measure(),
    );
  } finally {
    await server.stop();
  }
}

/** Checks that the reload ended within the window: otherwise its worst moment was not measured. */
async function requireKnownToken(port: number, token: string): Promise<void> {
  const connection = await HttpConnection.open(port);
  requireStatus(await connection.request(createSpeller({ method: 'GET', path: '/tools' })(token)), [200]);
  connection.close();
}
