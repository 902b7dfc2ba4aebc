/** The sets about signing in: the suite's scenarios for authorization servers, and its requirements for servers, with a token of a sign-in. */
import { randomBytes } from 'node:crypto';
import { allowOnPage, registerClient, signIn } from '../sign-in.ts';
import { findFreePort } from './loopback.ts';
import type { PlannedSet } from './plan.ts';
import { judge, readChecks, runSuite, type ScenarioResult, type SuiteOptions } from './suite.ts';

/** The setting with which users can sign in at the server. */
const SETTINGS = { SERVER_SECRET: randomBytes(32).toString('base64url') };

/** The suite's scenarios for authorization servers. */
const SCENARIOS = ['authorization-server-metadata-endpoint', 'authorization-code-grant'];

/** The sets, in the order in which they are run. */
export const SIGN_IN_SETS: readonly PlannedSet[] = [
  { name: 'authorization', server: 'plain', settings: SETTINGS, run: runAuthorization },
  {
    name: '2025-11-25-signed-in',
    server: 'fixture',
    settings: SETTINGS,
    exchange: signIn,
    requirements: '2025-11-25',
    scored: 30,
  },
  {
    name: '2026-07-28-signed-in',
    server: 'fixture',
    settings: SETTINGS,
    exchange: signIn,
    requirements: '2026-07-28',
    scored: 37,
  },
];

/** Runs the scenarios for authorization servers. Where the suite waits for the user, this answers the sign-in page. */
async function runAuthorization(options: SuiteOptions, token: string): Promise<ScenarioResult[]> {
  const { origin } = new URL(options.url);
  const [clientId, port] = [await registerClient(origin), await findFreePort()];
  let visiting: Promise<unknown> | undefined;
  const directories: string[] = [];
  const said = await runSuite(
    [
      'authorization',
      '--url',
      origin,
      '--client-id',
      clientId,
      '--resource',
      options.url,
      '--port',
      String(port),
      '--output-dir',
      options.resultsDirectory,
    ],
    options,
    (line) => {
      directories.push(...(/^Results saved to (.+)$/.exec(line)?.slice(1) ?? []));
      if (!line.startsWith(`${origin}/authorize?`)) return;
      visiting = visit(line, token);
      // Awaited below; until then a failure must not end the process.
      visiting.catch(() => undefined);
    },
  );
  await visiting;
  const results = await Promise.all(
    SCENARIOS.map(async (scenario) => {
      const directory = directories.find((one) => one.includes(`authorization-server-${scenario}-`));
      const checks = directory === undefined ? [] : await readChecks(directory);
      return judge({ set: 'authorization', scenario, revision: 'OAuth', scored: true }, checks);
    }),
  );
  if (directories.length === 0) throw new Error(`The suite ran nothing:\n${said}`);
  for (const result of results) options.onResult(result);
  return results;
}

/** Allows the client on the sign-in page, and follows the redirect as the browser does. */
async function visit(address: string, token: string): Promise<void> {
  await fetch(await allowOnPage(address, token));
}
