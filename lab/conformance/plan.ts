/** The plan: which scenarios of the official conformance suite are run against which server, and why. */
import type { SET_NAMES } from './main.usage.mjs';
import { SIGN_IN_SETS } from './sign-in.ts';
import type { ScenarioResult, SuiteOptions } from './suite.ts';

/** The two servers under test. */
export type ServerName = 'plain' | 'fixture';

/** One run of one scenario, by name. */
export interface PlannedScenario {
  readonly scenario: string;
  readonly revision: string;
  /** Checks that are left out, since they need one of the suite's own tools, which only the fixture server has. */
  readonly fixtureChecks?: readonly string[];
  /** Checks that must have succeeded. For others a warning, or no result, is enough. */
  readonly successes?: readonly string[];
}

/** A set of scenarios, and the server that they are run against. */
export type PlannedSet = {
  readonly name: (typeof SET_NAMES)[number];
  readonly server: ServerName;
  /** Settings of the server besides the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Exchanges the server's token for the one that is sent instead. */
  readonly exchange?: (url: string, token: string) => Promise<string>;
} & (
  | {
      /** The revision whose set of requirements is run, as the suite has frozen it. */
      readonly requirements: string;
      /** The number of its scored scenarios: if the set shrank unnoticed, it would pass too easily. */
      readonly scored: number;
    }
  | { readonly scenarios: readonly PlannedScenario[] }
  /** Runs by itself, with the server's token, which the proxy does not add. */
  | { readonly run: (options: SuiteOptions, token: string) => Promise<ScenarioResult[]> }
);

/**
 * What every server must do, whatever it offers. Left out are scenarios that call a tool, prompt or resource by the suite's
 * own name (tools-call-*, prompts-*, resources-*, caching, completion-complete, elicitation-*, input-required-* but one,
 * json-schema-2020-12, server-sse-polling, http-custom-header-server-validation), logging-set-level, because this server
 * does not offer logging, and the extensions it does not have (tasks, skills).
 */
const PLAIN_SCENARIOS: readonly PlannedScenario[] = [
  // The handshake, and the end of a session, in each revision that has sessions and a scenario for them.
  ...inRevisions('server-initialize', ['2025-06-18', '2025-11-25']),
  ...inRevisions('server-session-lifecycle', ['2025-03-26', '2025-06-18', '2025-11-25']),
  ...inRevisions('ping', ['2025-06-18', '2025-11-25']),
  // Every server here has tools, and every transport of it may be used by many requests at once.
  ...inRevisions('tools-list', ['2025-06-18', '2025-11-25', '2026-07-28']),
  ...inRevisions('server-sse-multiple-streams', ['2025-11-25', '2026-07-28']),
  // Host and Origin are checked before everything else.
  ...inRevisions('dns-rebinding-protection', ['2025-11-25', '2026-07-28']),
  // Discovery, versions, headers, errors and subscriptions of the stateless protocol.
  {
    scenario: 'server-stateless',
    revision: '2026-07-28',
    fixtureChecks: [
      // test_missing_capability
      'sep-2575-server-rejects-undeclared-capability',
      'sep-2575-missing-capability-http-400',
      // test_streaming_elicitation
      'sep-2575-http-server-no-independent-requests-on-stream',
      // test_logging_tool
      'sep-2575-server-no-log-without-loglevel',
      // test_trigger_tool_change
      'sep-2575-server-sends-tools-list-changed-on-subscription',
    ],
  },
  // Calls the first listed tool without arguments; every fork should be able to answer that.
  ...inRevisions('http-header-validation', ['2026-07-28']),
  // Lists must never ask for input.
  ...inRevisions('input-required-result-unsupported-methods', ['2026-07-28']),
];

/** Streams that end before the answer and are resumed. For these, the suite only warns when a check fails. */
const STREAM_SCENARIOS: readonly PlannedScenario[] = [
  {
    scenario: 'server-sse-polling',
    revision: '2025-11-25',
    successes: ['server-sse-priming-event', 'server-sse-retry-field', 'server-sse-disconnect-resume'],
  },
  {
    scenario: 'server-sse-multiple-streams',
    revision: '2025-11-25',
    successes: ['server-accepts-multiple-post-streams'],
  },
];

/** All sets that `npm run conformance` runs, in this order. */
export const PLAN: readonly PlannedSet[] = [
  { name: 'plain', server: 'plain', scenarios: PLAIN_SCENARIOS },
  { name: 'streams', server: 'fixture', scenarios: STREAM_SCENARIOS },
  { name: '2025-11-25', server: 'fixture', requirements: '2025-11-25', scored: 30 },
  { name: '2026-07-28', server: 'fixture', requirements: '2026-07-28', scored: 37 },
  ...SIGN_IN_SETS,
];

/** Plans one scenario in several revisions. */
function inRevisions(scenario: string, revisions: readonly string[]): PlannedScenario[] {
  return revisions.map((revision) => ({ scenario, revision }));
}
