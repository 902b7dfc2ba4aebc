/** The token endpoint: in whatever order codes and refresh tokens are used, each sign-in continues or ends by its own rules. */
import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { createExchange, type TokenAnswer } from '../../../src/auth/sign-in/exchange.ts';
import { createFamilies } from '../../../src/auth/sign-in/families.ts';
import { createJudge } from '../../../src/auth/sign-in/judge.ts';
import { OAuthError } from '../../../src/auth/sign-in/oauth-error.ts';
import { readParameters } from '../../../src/auth/sign-in/parameters.ts';
import { createSealedValues } from '../../../src/auth/sign-in/sealed-values.ts';
import { createUserContext } from '../../../src/auth/user.ts';
import { createSealer } from '../../../src/sealed.ts';

const ISSUER = 'https://my-app.example';
const CLIENT = { hash: 'c'.repeat(22), hasSecret: false };
const REDIRECT = 'http://127.0.0.1:3118/callback';
const VERIFIER = 'v'.repeat(43);
const HOUR_MS = 3_600_000;
const NOW_MS = Date.parse('2026-06-01T12:00:00Z');

const values = createSealedValues(createSealer([randomBytes(32).toString('base64url')]));

/** The clock stands still: no test here depends on age. */
const now = (): number => NOW_MS;

/** One process of the server. */
function startProcess() {
  const entry = { grant: { user: createUserContext({ userId: 'ada' }), tokenId: 'a' }, refusal: undefined };
  const families = createFamilies(now);
  const judge = createJudge({ lookUp: () => entry, families, now });
  const parts = {
    values,
    families,
    judge,
    scopes: [],
    accessMs: HOUR_MS,
    refreshMs: HOUR_MS,
    now,
    self: 'one',
  };
  return { judge, exchange: createExchange(parts) };
}
type Process = ReturnType<typeof startProcess>;

/** The code of a sign-in. */
const codeOf = (family: string): string =>
  values.seal('code', {
    digest: 'd',
    client: CLIENT.hash,
    family,
    scopes: undefined,
    wantsOffline: false,
    issuer: ISSUER,
    issuedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 60_000,
    refreshes: true,
    redirectUri: REDIRECT,
    namedRedirect: true,
    challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    resources: [],
    madeBy: 'one',
  });

/** Requests tokens; returns undefined when the answer is invalid_grant. */
function ask({ exchange }: Process, fields: Record<string, string>): TokenAnswer | undefined {
  try {
    const parameters = readParameters(new URLSearchParams(fields));
    return exchange.grant(parameters, { client: CLIENT, issuer: ISSUER });
  } catch (error) {
    if (error instanceof OAuthError && error.code === 'invalid_grant') return undefined;
    throw error;
  }
}

/** Exchanges a code. */
const useCode = (process: Process, code: string) =>
  ask(process, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT,
    code_verifier: VERIFIER,
  });

/** Uses a refresh token. */
const useRefresh = (process: Process, token: string) =>
  ask(process, { grant_type: 'refresh_token', refresh_token: token });

/** A sign-in with everything that it was ever given. */
interface SignedIn {
  readonly code: string;
  readonly answers: { readonly answer: TokenAnswer; readonly generation: number }[];
  newest: number;
  hasEnded: boolean;
}

/** What may happen to a sign-in. */
const STEP = fc.record({
  whose: fc.nat({ max: 2 }),
  act: fc.oneof(
    { weight: 12, arbitrary: fc.constant('refresh' as const) },
    { weight: 1, arbitrary: fc.constantFrom('code' as const, 'revoke' as const) },
  ),
  // How far back in what was given, so that the newest tokens are drawn most.
  back: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 12 })),
  /** How many send the same request at once. */
  times: fc.integer({ min: 1, max: 4 }),
});
type Step = typeof STEP extends fc.Arbitrary<infer Value> ? Value : never;

/** Takes a step with a sign-in; returns which of its requests were answered with tokens, and which had to be. */
function take(process: Process, mine: SignedIn, { act, back, times }: Step): [boolean[], boolean[]] {
  const given = mine.answers[Math.max(0, mine.answers.length - 1 - back)];
  if (given === undefined) throw new Error('nothing was given');
  if (act === 'revoke') void process.exchange.revoke(given.answer.access_token, CLIENT);
  const mustCount = act === 'refresh' && !mine.hasEnded && given.generation >= mine.newest - 1;
  if (!mustCount) mine.hasEnded = true;
  if (act === 'revoke') return [[], []];
  // All requests come before any of their answers is used.
  const answers = Array.from({ length: times }, () =>
    act === 'code' ? useCode(process, mine.code) : useRefresh(process, given.answer.refresh_token ?? ''),
  );
  const generation = given.generation + 1;
  for (const answer of answers) if (answer !== undefined) mine.answers.push({ answer, generation });
  if (mustCount) mine.newest = Math.max(mine.newest, generation);
  return [answers.map((answer) => answer !== undefined), answers.map(() => mustCount)];
}

test('refreshes in any order affect only their own sign-in, and end it when a token two generations old is used', () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 60 }), (steps) => {
      const process = startProcess();
      const all = ['one', 'two', 'three'].map((family): SignedIn => {
        const code = codeOf(family);
        const answer = useCode(process, code);
        if (answer === undefined) throw new Error('no tokens');
        return { code, answers: [{ answer, generation: 0 }], newest: 0, hasEnded: false };
      });

      for (const step of steps) {
        const mine = all[step.whose];
        if (mine === undefined) throw new Error('nobody');
        const [found, expected] = take(process, mine, step);
        expect(found).toEqual(expected);
      }

      for (const { answers, hasEnded } of all)
        for (const { answer } of answers) {
          const claims = values.open('access', answer.access_token);
          expect(claims !== undefined && process.judge(claims).ok).toBe(!hasEnded);
        }
    }),
    { numRuns: 100 },
  );
});

test('a client that uses its latest refresh token stays signed in, whatever answers are lost and whichever process it reaches', () => {
  const turn = fc.record({ where: fc.nat({ max: 1 }), isLost: fc.boolean(), restarts: fc.boolean() });

  fc.assert(
    fc.property(fc.array(turn, { maxLength: 40 }), (turns) => {
      const processes = [startProcess(), startProcess()];
      let kept = useCode(processes[0] ?? startProcess(), codeOf('one'))?.refresh_token;
      for (const { where, isLost, restarts } of turns) {
        if (restarts) processes[where] = startProcess();
        const answer = useRefresh(processes[where] ?? startProcess(), kept ?? '');
        expect(answer).toBeDefined();
        if (!isLost) kept = answer?.refresh_token;
      }
    }),
  );
});
