/** Every kind of case, and how often each is drawn. */
import { type Actor, createActor, type Target } from './actor.ts';
import { heavyCase } from './heavy-cases.ts';
import { brokenOffCase, credentialCase, framedCase, pipelinedCase, spelledCase } from './http-cases.ts';
import {
  argumentsCase,
  endLeftovers,
  looseBodyCase,
  sessionCase,
  sseCase,
  statelessCase,
} from './mcp-cases.ts';
import { looseSignInCase, signInCase } from './sign-in-cases.ts';
import { jwtCase } from './provider-cases.ts';
import { createRandom, type Random } from './random.ts';

type Case = (random: Random, actor: Actor) => Promise<void>;

const KINDS: readonly (readonly [number, readonly [string, Case]])[] = [
  [18, ['spelling', spelledCase]],
  [14, ['framing', framedCase]],
  [6, ['breaking off', brokenOffCase]],
  [7, ['pipeline', pipelinedCase]],
  [8, ['credential', credentialCase]],
  [18, ['body', looseBodyCase]],
  [18, ['stateless', statelessCase]],
  [10, ['arguments', argumentsCase]],
  [7, ['session', sessionCase]],
  [4, ['sse', sseCase]],
  [4, ['heavy body', heavyCase]],
  [5, ['sign-in', signInCase]],
  [7, ['loose sign-in', looseSignInCase]],
  [5, ['jwt', jwtCase]],
];

/** The outcome of a case. */
export interface Outcome {
  readonly caseNumber: number;
  readonly kind: string;
  /** Everything that was sent, one entry for each write. */
  readonly sent: readonly Buffer[];
  /** Why it failed; undefined when it passed. */
  readonly problem: string | undefined;
}

/** Runs the case of a seed and a number. Never rejects. */
export async function runCase(target: Target, seed: number, caseNumber: number): Promise<Outcome> {
  const random = createRandom(seed, caseNumber);
  const [kind, run] = random.weighted(KINDS);
  const actor = createActor(target, caseNumber);
  let problem: string | undefined;
  try {
    await run(random, actor);
    await endLeftovers(actor);
  } catch (error) {
    problem =
      error instanceof Error && error.name === 'Violation'
        ? error.message
        : `the fuzzer itself failed: ${describe(error)}`;
  } finally {
    actor.close();
  }
  return { caseNumber, kind, sent: actor.sent, problem };
}

/** The stack of an error, or the value as a string. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
