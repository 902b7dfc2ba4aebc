/**
 * Asks `@mcpjam/sdk` about a server, from the folder in which it is installed: `node ask.mjs WHAT URL`, with WHAT from CHECKS below and
 * the token in SMOKE_TOKEN. Prints the failed checks as JSON. Exit code 1 when one failed, or was skipped that every server must pass.
 */
import { MCPAppsConformanceTest, MCPConformanceTest, runServerDoctor } from '@mcpjam/sdk';

/** Checks that may be skipped: those of capabilities that a server need not have, and those of servers on this machine. */
const MAY_BE_LEFT_OUT = new Set([
  'logging-set-level',
  'completion-complete',
  'localhost-host-rebinding-rejected',
  'localhost-host-valid-accepted',
]);

/** How many checks each has, at the version that is installed. */
const CHECKS = { doctor: 8, conformance: 15, apps: 7 };

const TIMEOUT_MS = 30_000;

const [what, url] = process.argv.slice(2);
const accessToken = process.env.SMOKE_TOKEN;
const checks = await { doctor: askDoctor, conformance: askConformance, apps: askApps }[what]();
const problems = checks.filter(
  ({ id, status }) => status !== 'passed' && !(status === 'skipped' && MAY_BE_LEFT_OUT.has(id)),
);
process.stdout.write(`${JSON.stringify({ asked: what, checks: checks.length, problems })}\n`);
// Its clients would keep the process running.
process.exit(problems.length === 0 && checks.length === CHECKS[what] ? 0 : 1);

/** Runs its doctor, which connects and examines everything that the server offers. */
async function askDoctor() {
  const found = await runServerDoctor({ config: { url, accessToken }, target: url, timeout: TIMEOUT_MS });
  return Object.entries(found.checks).map(([id, { status, detail }]) => ({
    id,
    status: status === 'ok' ? 'passed' : status,
    detail,
  }));
}

/** Runs its conformance checks. */
async function askConformance() {
  const found = await new MCPConformanceTest({ serverUrl: url, accessToken, checkTimeout: TIMEOUT_MS }).run();
  return found.checks.map(readCheck);
}

/** Runs its checks of MCP Apps. */
async function askApps() {
  const found = await new MCPAppsConformanceTest({ url, accessToken, timeout: TIMEOUT_MS }).run();
  return found.checks.map(readCheck);
}

/** The result of a check, in one form for all. */
function readCheck({ id, status, error }) {
  return { id, status, detail: error?.message };
}
