/**
 * Asks `@mcpjam/sdk` about a server, in the folder that it is installed in: `node ask.mjs WHAT URL`, of CHECKS below, the token in
 * SMOKE_TOKEN. It prints each check in JSON; exit code 1 where one failed, or was left out that any server owes.
 */
import { MCPAppsConformanceTest, MCPConformanceTest, runServerDoctor } from '@mcpjam/sdk';

/** Checks that a server without the capability has no answer to, and those of servers on this machine. */
const MAY_BE_LEFT_OUT = new Set([
  'logging-set-level',
  'completion-complete',
  'localhost-host-rebinding-rejected',
  'localhost-host-valid-accepted',
]);

/** So many checks has each at the version that is asked. */
const CHECKS = { doctor: 8, conformance: 15, apps: 7 };

const TIMEOUT_MS = 30_000;

const [what, url] = process.argv.slice(2);
const accessToken = process.env.SMOKE_TOKEN;
const checks = await { doctor: askDoctor, conformance: askConformance, apps: askApps }[what]();
const problems = checks.filter(
  ({ id, status }) => status !== 'passed' && !(status === 'skipped' && MAY_BE_LEFT_OUT.has(id)),
);
process.stdout.write(`${JSON.stringify({ asked: what, checks: checks.length, problems })}\n`);
// Its clients would keep the process alive.
process.exit(problems.length === 0 && checks.length === CHECKS[what] ? 0 : 1);

/** Its doctor: connects, and looks at all that the server offers. */
async function askDoctor() {
  const found = await runServerDoctor({ config: { url, accessToken }, target: url, timeout: TIMEOUT_MS });
  return Object.entries(found.checks).map(([id, { status, detail }]) => ({
    id,
    status: status === 'ok' ? 'passed' : status,
    detail,
  }));
}

/** Its conformance checks. */
async function askConformance() {
  const found = await new MCPConformanceTest({ serverUrl: url, accessToken, checkTimeout: TIMEOUT_MS }).run();
  return found.checks.map(readCheck);
}

/** Those of MCP Apps. */
async function askApps() {
  const found = await new MCPAppsConformanceTest({ url, accessToken, timeout: TIMEOUT_MS }).run();
  return found.checks.map(readCheck);
}

/** What a check came to. */
function readCheck({ id, status, error }) {
  return { id, status, detail: error?.message };
}
