/** Measures whether a request costs the same however many tokens there are. */
import { type Contestant, figuresOf, type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Series } from '../metrics.ts';
import { OURS } from '../targets.ts';
import type { TokenRange } from '../tokens.ts';

/** How many tokens are in use, where not all are. */
const IN_USE = 10;

const CLIENTS = 32;

/** A token file of a size, and the tokens of it that requests use. */
interface TokenContestant extends Contestant {
  readonly inFile: number;
  readonly inUse: TokenRange;
}

/** Measures this server with a small and with a large token file. */
export async function measureTokenCounts(lab: Lab): Promise<Series[]> {
  const { settings, generator } = lab;
  const large = settings.tokens;
  const many = large.toLocaleString('en');
  const contestants: TokenContestant[] = [
    { name: `${IN_USE} tokens`, kind: 'variant', inFile: IN_USE, inUse: { count: IN_USE, step: 1 } },
    {
      name: `${many} tokens, ${IN_USE} in use`,
      kind: 'variant',
      inFile: large,
      inUse: { count: IN_USE, step: large / IN_USE },
    },
    {
      name: `${many} tokens, all in use`,
      kind: 'variant',
      inFile: large,
      inUse: { count: large, step: 1 },
    },
  ];
  return takeTurns(lab, contestants, async ({ inFile, inUse }) => {
    const { port, pid, stop } = await startTarget(lab, OURS, { tokens: inFile });
    try {
      const result = await generator.load({
        server: { port, pid },
        workload: { kind: 'tools', valid: true },
        clients: CLIENTS,
        tokens: inUse,
        warmUpMs: settings.warmUpMs,
        durationMs: settings.durationMs,
      });
      return figuresOf(result);
    } finally {
      await stop();
    }
  });
}
