/** What of the official conformance suite is run against which server, and why. */
import type { SET_NAMES } from './main.usage.mjs';
import { SIGN_IN_SETS } from './sign-in.ts';
import type { ScenarioResult, SuiteOptions } from './suite.ts';

/** The two servers under test. */
export type ServerName = 'plain' | 'fixture';

/** One run of one scenario by its name. */
export interface PlannedScenario {
  readonly scenario: string;
  readonly revision: string;
  /** Checks that need one of the suite's own tools, which a server without fixtures cannot have. */
  readonly fixtureChecks?: readonly string[];
  /** Checks that must have succeeded: where the suite only warns, or says nothing, that is not enough. */
  readonly successes?: readonly string[];
}

/** A set of scenarios with the server they are run against. */
export type PlannedSet = {
  readonly name: (typeof SET_NAMES)[number];
  readonly server: ServerName;
  /** Settings of the server besides the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What is sent in place of the token that the server has been given. */
  readonly exchange?: (url: string, token: string) => Promise<string>;
} & (
  | {
      /** The revision whose requirement set is run as the suite has frozen it. */
      readonly requirements: string;
      /** How many scenarios of it are scored: a set that shrinks unnoticed would pass too easily. */
      readonly scored: number;
    }
  | { readonly scenarios: readonly PlannedScenario[] }
  /** Runs by itself, without a credential. */
  | { readonly run: (options: SuiteOptions, token: string) => Promise<ScenarioResult[]> }
);

/**
 * What any server owes, whatever it offers. Left out are scenarios that call a tool, prompt or resource by the suite's
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
  // Host and Origin are checked before anything else.
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
  // Calls the first tool of the list without arguments, which every fork should be able to answer.
  ...inRevisions('http-header-validation', ['2026-07-28']),
  // Lists must never ask for input.
  ...inRevisions('input-required-result-unsupported-methods', ['2026-07-28']),
];

/** Streams that end before the answer and are taken up again, which the suite asks for in warnings only. */
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

/** Everything `npm run conformance` runs, in this order. */
export const PLAN: readonly PlannedSet[] = [
  { name: 'plain', server: 'plain', scenarios: PLAIN_SCENARIOS },
  { name: 'streams', server: 'fixture', scenarios: STREAM_SCENARIOS },
  { name: '2025-11-25', server: 'fixture', requirements: '2025-11-25', scored: 30 },
  { name: '2026-07-28', server: 'fixture', requirements: '2026-07-28', scored: 37 },
  ...SIGN_IN_SETS,
];

/** One scenario at the wire of several revisions. */
function inRevisions(scenario: string, revisions: readonly string[]): PlannedScenario[] {
  return revisions.map((revision) => ({ scenario, revision }));
}
