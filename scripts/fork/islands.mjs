/**
 * The islands: parts that a fork can remove, each with its files and the places where it is wired. `npm run drop` removes one,
 * tests/architecture.test.ts checks the sources against this table, and `npm run fork-proof` removes each in turn.
 */

/** The file that puts the parts of the server together. */
const START = 'src/server/start-server.ts';

/** The file that chooses how callers are authenticated. */
const ENTRANCE = 'src/server/entrance.ts';

/**
 * Every island.
 *
 * @type {readonly import('./island.ts').Island[]}
 */
export const ISLANDS = [
  {
    name: 'example',
    what: 'the worked application, examples/progress',
    without: 'there is no `npm run example`',
    files: ['examples', 'lab/fixture/with-example.ts', 'lab/bench/measure/features-row.ts'],
    wiring: [
      { file: 'package.json', linesWith: '"example":' },
      { file: 'lab/bench/rows.ts', linesWith: 'FEATURES_ROW' },
    ],
    tests: [],
    packages: [],
  },
  {
    name: 'sse',
    what: 'HTTP+SSE, the transport of 2024-11-05',
    without: '`/sse` and `/messages` are 404, as with `SSE_ENABLED=false`',
    files: [
      'src/http/transports/sse-endpoint.ts',
      'src/http/transports/sse-forwarding.ts',
      'src/http/transports/sse-response.ts',
    ],
    wiring: [{ file: START, linesWith: 'createSseRoutes' }],
    tests: ['tests/http/transports/sse-endpoint.test.ts'],
    usedBy: /\/sse\b|\/messages\b|openSse|'v1 sse'|sse-first/,
    // The SDK's package stays: the older clients of the tests come from it.
    packages: [],
  },
  {
    name: 'kept-use',
    what: 'the count of calls of each user that is kept in the database',
    without: '`/admin` shows what its own process has counted since its start',
    files: ['src/http/admin/kept', 'src/server/kept-use.ts', 'scripts/token/kept-uses.ts'],
    wiring: [
      { file: 'src/server/admin.ts', linesWith: "'./kept-use.ts'" },
      { file: 'src/server/admin.ts', part: '(await openKeptUse(wiring)) ?? ' },
      { file: 'scripts/token/context.ts', linesWith: 'readKeptUses' },
    ],
    tests: ['tests/http/admin/kept'],
    packages: [],
  },
  {
    name: 'admin',
    what: 'the page for admins, on which people and their tokens are managed',
    without: '`/admin` is 404; tokens are managed by `npm run token`',
    files: ['src/http/admin', 'src/server/admin.ts', 'public/admin', 'scripts/token/admin-page.ts'],
    wiring: [
      { file: START, linesWith: "'./admin.ts'" },
      { file: START, linesWith: 'adminSite' },
      { file: 'scripts/token/show-new-token.ts', linesWith: 'adminPageLines' },
    ],
    tests: [
      'tests/http/admin',
      'tests/e2e/admin-page.test.ts',
      'tests/e2e/admin-sign-out.test.ts',
      'tests/auth/table/people.test.ts',
    ],
    carries: ['kept-use'],
    packages: ['qrcode-generator'],
  },
  {
    name: 'page',
    what: 'the page at `/`',
    without: '`/` always answers in JSON',
    // The page for admins goes with `public`; its API stays.
    files: ['src/http/site/page.ts', 'public'],
    wiring: [
      { file: START, linesWith: '/site/page.ts' },
      { file: START, part: ', createPage(face)' },
      { file: 'Dockerfile', linesWith: 'COPY public ' },
      { file: '.dockerignore', linesWith: 'public' },
      { file: 'tests/security/process.test.ts', linesWith: 'GET /page/page.js' },
    ],
    tests: [
      'tests/http/site/page.test.ts',
      'tests/e2e/page.test.ts',
      'tests/e2e/page-access.test.ts',
      'tests/e2e/page-forms.test.ts',
      'tests/e2e/page-personal.test.ts',
      'tests/e2e/page-sign-out.test.ts',
      'tests/e2e/page-tools.test.ts',
      // It tests the sign-in, and needs the browser.
      'tests/e2e/sign-in-page.test.ts',
      'tests/e2e/admin-page.test.ts',
      'tests/e2e/admin-sign-out.test.ts',
      'tests/support/browser.ts',
    ],
    packages: ['playwright-core', 'axe-core'],
  },
  {
    name: 'bundle',
    what: 'the bundle for Claude Desktop, which the server hands out',
    without: '`/connect.mcpb` is 404; Claude Desktop is set up in its configuration file',
    files: ['src/connect/bundle', 'src/connect/bundle-client.ts', 'src/http/site/bundle.ts', 'bundle'],
    wiring: [
      { file: START, linesWith: 'createBundleRoute' },
      { file: 'src/connect/claude.ts', linesWith: 'claudeDesktopBundle' },
      { file: 'scripts/connect.usage.mjs', part: 'claude-desktop-bundle, ' },
      { file: 'scripts/connect.usage.mjs', linesWith: 'The bundle is a file' },
      { file: 'Dockerfile', linesWith: 'COPY bundle ' },
      { file: '.dockerignore', linesWith: '!bundle' },
      { file: 'package.json', linesWith: '"bundle",' },
    ],
    tests: [
      'tests/connect/bundle.test.ts',
      'tests/e2e/bundle.test.ts',
      'tests/e2e/bundle-proxy.test.ts',
      'tests/e2e/bundle-answers.test.ts',
    ],
    usedBy: /claude-desktop-bundle|connect\.mcpb|Add to Claude Desktop/,
    packages: ['@anthropic-ai/mcpb', 'yauzl', '@types/yauzl'],
  },
  {
    name: 'sign-in',
    what: 'signing in with a token on a page, for clients that cannot be given one (OAuth)',
    without: 'clients must send a token that was handed out, as with `SIGN_IN=false`',
    files: [
      'src/auth/sign-in',
      'src/http/sign-in',
      'src/server/sign-in.ts',
      'lab/sign-in.ts',
      'lab/conformance/sign-in.ts',
      'lab/conformance/sign-in.usage.mjs',
      'lab/fuzz/sign-in-cases.ts',
      'lab/fuzz/sign-in-wrongs.ts',
      'lab/bench/measure/sign-in-row.ts',
    ],
    wiring: [
      { file: ENTRANCE, linesWith: "'./sign-in.ts'" },
      { file: ENTRANCE, part: '(await openSignIn(wiring)) ?? ' },
      { file: 'lab/conformance/plan.ts', linesWith: 'SIGN_IN_SETS' },
      { file: 'lab/fuzz/cases.ts', linesWith: 'ignInCase' },
      { file: 'lab/bench/rows.ts', linesWith: 'SIGN_IN_ROW' },
      { file: 'lab/conformance/main.usage.mjs', linesWith: "'./sign-in.usage.mjs'" },
      { file: 'lab/conformance/main.usage.mjs', part: ', ...SIGN_IN_SET_NAMES' },
    ],
    tests: [
      'tests/auth/sign-in',
      'tests/http/sign-in',
      'tests/http/admin/sign-in-users.test.ts',
      'tests/e2e/sign-in-page.test.ts',
      'tests/e2e/inspector-sign-in.test.ts',
      'tests/e2e/mcp-remote-sign-in.test.ts',
      'tests/scripts/smoke-sign-in.test.ts',
      'tests/scripts/signed-in.test.ts',
      'tests/support/sign-in.ts',
      // It also tests signing in under a path.
      'tests/http/base-path.test.ts',
    ],
    usedBy: /support\/sign-in/,
    packages: [],
  },
  {
    name: 'provider',
    what: 'accepting the tokens of an identity provider (OAuth)',
    without:
      'tokens of an identity provider are refused; `OAUTH_ISSUER` only lets the server start without tokens of its own',
    files: [
      'src/auth/provider',
      'src/http/provider',
      'src/server/provider.ts',
      'lab/fuzz/provider-cases.ts',
      'lab/fuzz/provider-mode.ts',
      'lab/bench/measure/provider-row.ts',
    ],
    wiring: [
      { file: 'lab/fuzz/cases.ts', linesWith: 'jwtCase' },
      { file: 'lab/fuzz/modes.ts', linesWith: 'byProvider' },
      { file: 'lab/bench/rows.ts', linesWith: 'PROVIDER_ROW' },
      { file: ENTRANCE, linesWith: "'./provider.ts'" },
      { file: ENTRANCE, part: '(await openProvider(wiring)) ?? ' },
    ],
    tests: [
      'tests/auth/provider',
      'tests/http/provider',
      'tests/http/admin/provider-users.test.ts',
      'tests/e2e/oidc-provider.test.ts',
      'tests/lab/fuzz-provider.test.ts',
      'tests/support/made-up-provider.ts',
      'tests/support/oidc-provider-server.mjs',
      'tests/template/provider-faults.test.ts',
    ],
    usedBy: /support\/made-up-provider|fuzz\/provider-mode/,
    packages: ['jose', 'oidc-provider'],
  },
  {
    name: 'database-tokens',
    what: 'tokens in the database',
    without: 'tokens are in a file or in `AUTH_TOKENS`; `TOKENS_STORE=database` ends the start with an error',
    files: ['src/auth/table', 'src/server/database-tokens.ts', 'scripts/token/database-store.ts'],
    wiring: [
      { file: 'src/server/run-server.ts', linesWith: 'openTokensOf' },
      { file: 'tests/support/start-server.ts', linesWith: 'openTokensOf' },
      { file: 'scripts/token/context.ts', linesWith: "'./database-store.ts'" },
      { file: 'scripts/token/context.ts', part: 'storeInDatabase(config, file) ?? ' },
    ],
    tests: ['tests/auth/table'],
    packages: [],
  },
  {
    name: 'storage',
    what: 'the database (SQLite or PostgreSQL) behind one interface',
    without: 'tools bring their own storage, and `DATABASE_URL` has no effect',
    files: ['src/storage'],
    wiring: [],
    tests: ['tests/storage', 'tests/support/databases.ts', 'tests/support/postgres.ts'],
    carries: ['example', 'database-tokens', 'kept-use'],
    packages: ['pg', '@types/pg', '@photostructure/sqlite'],
  },
  {
    name: 'redis',
    what: 'several processes as one server, over Redis or Valkey',
    without:
      'processes share nothing but the sessions that `SERVER_SECRET` lets them resume; `REDIS_URL` ends the start with an error',
    files: [
      'src/sessions/redis',
      'src/server/redis.ts',
      'lab/bench/measure/many-rows.ts',
      'lab/bench/measure/many-servers.ts',
      'lab/bench/measure/resume-row.ts',
    ],
    wiring: [
      { file: 'lab/bench/rows.ts', linesWith: 'MANY_ROWS' },
      { file: 'src/server/join-processes.ts', linesWith: "'./redis.ts'" },
      { file: 'src/server/join-processes.ts', part: '(await joinOverRedis({ sharing, sealer, log })) ?? ' },
    ],
    tests: [
      'tests/e2e/balanced.test.ts',
      'tests/e2e/redis-failures.test.ts',
      'tests/e2e/redis-slow.test.ts',
      'tests/http/transports/many-processes.test.ts',
      'tests/http/transports/session-settings.test.ts',
      'tests/sessions/peer-event-store.test.ts',
      'tests/sessions/redis-clock.test.ts',
      'tests/sessions/redis-secrets.test.ts',
      'tests/template/redis-rights.test.ts',
    ],
    usedBy: /support\/redis/,
    packages: ['@redis/client'],
  },
  {
    name: 'metrics',
    what: '`/metrics`, for Prometheus and programs that read its format',
    without: '`/metrics` is 404, as without `METRICS_TOKEN`; the diagnostics channels stay',
    files: [
      'src/http/metrics',
      'src/server/metrics.ts',
      'lab/bench/measure/metrics-row.ts',
      'lab/bench/counting-server.ts',
    ],
    wiring: [
      { file: START, linesWith: 'openMetrics' },
      { file: 'lab/bench/rows.ts', linesWith: 'METRICS_ROWS' },
    ],
    tests: ['tests/http/metrics', 'tests/e2e/prometheus.test.ts', 'tests/auth/table/metrics.test.ts'],
    packages: [],
  },
  {
    name: 'short-way',
    what: 'the short way on which plain messages are answered without the SDK',
    without:
      'the SDK answers everything, with the same answers; a call and an idle session cost several times as much',
    files: ['src/mcp/fast-lane.ts', 'src/mcp/known-answers.ts'],
    wiring: [{ file: START, linesWith: 'createFastLane' }],
    tests: ['tests/mcp/fast-lane.test.ts', 'tests/mcp/session.test.ts'],
    packages: [],
  },
];
