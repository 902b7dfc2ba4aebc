/** Whether a request costs the same however many tokens there are. */
import { allStarted, type Contestant, figuresOf, type Lab, startTarget, takeTurns } from '../lab.ts';
import type { Series } from '../metrics.ts';
import { OURS } from '../targets.ts';
import type { TokenRange } from '../tokens.ts';

/** So many tokens are in use where not all are. */
const IN_USE = 10;

const CLIENTS = 32;

/** A server with a token file, and what of it the requests use. */
interface TokenContestant extends Contestant {
  readonly tokens: TokenRange;
}

/** Measures this server with a small and with a large token file. */
export async function measureTokenCounts(lab: Lab): Promise<Series[]> {
  const { settings, generator } = lab;
  lab.progress('starting servers');
  const counts = [IN_USE, settings.tokens];
  const servers = await allStarted(counts.map((tokens) => startTarget(lab, OURS, { tokens })));
  const [small, large] = servers;
  if (small === undefined || large === undefined) throw new Error('Two servers are needed.');
  const many = settings.tokens.toLocaleString('en');
  const contestants: TokenContestant[] = [
    { name: `${IN_USE} tokens`, kind: 'variant', server: small, tokens: { count: IN_USE, step: 1 } },
    {
      name: `${many} tokens, ${IN_USE} in use`,
      kind: 'variant',
      server: large,
      tokens: { count: IN_USE, step: settings.tokens / IN_USE },
    },
    {
      name: `${many} tokens, all in use`,
      kind: 'variant',
      server: large,
      tokens: { count: settings.tokens, step: 1 },
    },
  ];
  const measure = async ({ server, tokens }: TokenContestant, warmUpMs: number, durationMs: number) => {
    const { port, pid } = server;
    const workload = { kind: 'tools', valid: true } as const;
    return generator.load({
      server: { port, pid },
      workload,
      clients: CLIENTS,
      tokens,
      warmUpMs,
      durationMs,
    });
  };
  try {
    for (const contestant of contestants) await measure(contestant, settings.warmUpMs, 1);
    return await takeTurns(lab, contestants, async (contestant) =>
      figuresOf(await measure(contestant, settings.settleMs, settings.durationMs)),
    );
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}
