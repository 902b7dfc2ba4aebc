/** A way to break each promise of SECURITY.md that a test in one process can see: `npm run mutate -- --promised` does, and a test that the promise names must fail. */

/** How a promise is broken. */
export interface Breach {
  /** How the promise begins in SECURITY.md. */
  readonly promise: string;
  readonly file: string;
  /** What stands there, once or first, and what is put in its place. */
  readonly before: string;
  readonly after: string;
}

export const BREACHES: readonly Breach[] = [
  { promise: 'No path, spelling of a path', file: 'src/http/routing.ts', before: "(ctx, next) => requireGrant(ctx, () => handle(ctx, next))", after: "(ctx, next) => (ctx.method === 'HEAD' ? handle(ctx, next) : requireGrant(ctx, () => handle(ctx, next)))" },
  { promise: 'Doubled `Host`', file: 'src/http/gate/request-guard.ts', before: '    seen.add(name);\n', after: '' },
  { promise: 'A token counts in a header only', file: 'src/auth/credential.ts', before: "if (other !== undefined) return malformed('The request carries two different credentials; send one.');", after: '' },
  { promise: 'Tokens are compared by digest', file: 'src/auth/tokens/token-set.ts', before: 'tokens.get(digestToken(token))', after: "(tokens.get(digestToken(token)) ?? tokens.get(token.replace('sha256:', '')))" },
  { promise: 'Guessing is limited per address', file: 'src/http/gate/rate-limit.ts', before: '.slice(0, 4)', after: '' },
  { promise: "A user's tool calls are limited", file: 'src/mcp/call-limit.ts', before: 'if (waitMs > ROUNDING_MS) return waitMs;', after: '' },
  { promise: 'A token that is removed, disabled or expired', file: 'src/auth/tokens/token-set.ts', before: 'return known?.user.userId === user.userId && refusalOf(known, now()) === undefined;', after: 'return known?.user.userId === user.userId;' },
  { promise: 'Authentication is never off by mistake', file: 'src/config/surroundings.ts', before: 'isContainer: pid === 1', after: 'isContainer: false' },
  { promise: 'A server that is open because', file: 'src/http/gate/forwarding-guard.ts', before: '|via|', after: '|' },
  { promise: 'A page of another origin cannot use', file: 'src/http/gate/origin-guard.ts', before: '(origin === `http://${host}` || origin === `https://${host}`)', after: 'origin.endsWith(host)' },
  { promise: 'A session belongs to its user.', file: 'src/sessions/registry.ts', before: 'session?.userId === userId && session.kind === kind', after: 'session?.kind === kind' },
  { promise: 'An id that another process made', file: 'src/sessions/session-ids.ts', before: 'if (!ownerOf(userId).equals(bytes.subarray(OWNER_AT, HEAD_BYTES))) return undefined;', after: '' },
  { promise: 'Bodies are bounded in size', file: 'src/http/transports/body-bounds.ts', before: 'const MAX_NAMES = 20_000;', after: 'const MAX_NAMES = 22_000;' },
  { promise: 'Bodies are bounded in size', file: 'src/http/transports/body-bounds.ts', before: 'const MAX_VALUES = 100_000;', after: 'const MAX_VALUES = 110_000;' },
  { promise: 'Bodies are bounded in size', file: 'src/http/transports/body-bounds.ts', before: 'const MAX_PART_VALUES = 1_000;', after: 'const MAX_PART_VALUES = 1_100;' },
  { promise: 'Bodies are bounded in size', file: 'src/http/transports/body-bounds.ts', before: 'const MAX_PART_CHARACTERS = 64 * 1024;', after: 'const MAX_PART_CHARACTERS = 70 * 1024;' },
  { promise: 'Bodies are bounded in size', file: 'src/http/transports/json-body.ts', before: 'const MAX_DEPTH = 100;', after: 'const MAX_DEPTH = 110;' },
  { promise: 'Bodies are bounded in size', file: 'src/http/transports/json-rpc.ts', before: 'const MAX_BATCH_LENGTH = 100;', after: 'const MAX_BATCH_LENGTH = 110;' },
  { promise: 'What waits for all clients of one user', file: 'src/http/transports/unsent-budget.ts', before: '      fullest.destroy();\n', after: '' },
  { promise: 'What waits for all clients of one user', file: 'src/http/transports/unsent-budget.ts', before: 'if (waitingBytes > 0 && ', after: 'if (waitingBytes < 0 && ' },
  { promise: 'Bodies of 64 KiB and more', file: 'src/http/transports/upload-budget.ts', before: 'if (held > this.#bytesPerUser) return false;', after: '' },
  { promise: 'Bodies of 64 KiB and more', file: 'src/http/transports/upload-budget.ts', before: 'LARGE_BODY_BYTES = 64 * 1024', after: 'LARGE_BODY_BYTES = 16 * 1024' },
  { promise: 'A client that takes nothing of its answer', file: 'src/http/gate/connections.ts', before: 'unreadMs = 30_000', after: 'unreadMs = 3_000_000' },
  { promise: 'A client that takes nothing of its answer', file: 'src/http/gate/open-connections.ts', before: 'BEHIND_MS = 10 * 60_000', after: 'BEHIND_MS = 20 * 60_000' },
  { promise: 'Connections are capped in total', file: 'src/http/gate/connections.ts', before: 'WORD_EVERY_MS = 60_000', after: 'WORD_EVERY_MS = 0' },
  { promise: 'Connections are capped in total', file: 'src/http/gate/connections.ts', before: 'if (isThisMachine(address)) return;', after: '' },
  { promise: 'What came of a sign-in counts as the entry', file: 'src/auth/tokens/token-set.ts', before: 'return { grant, refusal: refusalOf(known, now()), expiresAtMs, signInsSinceMs };', after: 'return { grant, refusal: refusalOf(known, now()), expiresAtMs };' },
  { promise: 'A document that describes a client', file: 'src/auth/sign-in/fetch-document.ts', before: 'MAX_BYTES = 5 * 1024', after: 'MAX_BYTES = 50 * 1024' },
  { promise: 'A document that describes a client', file: 'src/auth/sign-in/fetch-document.ts', before: 'addresses.filter(({ address }) => isOpen(address))', after: 'addresses.slice()' },
  { promise: 'A document that describes a client', file: 'src/auth/sign-in/address-guard.ts', before: "OPEN_IPV6 = '2000::/3'", after: "OPEN_IPV6 = '::/0'" },
  { promise: 'A document that describes a client', file: 'src/auth/sign-in/client-documents.ts', before: "members['client_id'] !== clientId", after: "members['client_id'] === undefined" },
  { promise: 'A provider that cannot be reached', file: 'src/auth/provider/seldom.ts', before: 'PAUSE_MS = 30_000', after: 'PAUSE_MS = 3_000' },
  { promise: 'What streams said is kept in memory only', file: 'src/sessions/memory-event-store.ts', before: 'maxEventsPerStream: 256', after: 'maxEventsPerStream: 512' },
  { promise: 'What streams said is kept in memory only', file: 'src/sessions/memory-event-store.ts', before: 'maxBytesPerUser: 16 * MEBIBYTE', after: 'maxBytesPerUser: 32 * MEBIBYTE' },
  { promise: 'What streams said is kept in memory only', file: 'src/sessions/memory-event-store.ts', before: 'keepMs: 300_000', after: 'keepMs: 600_000' },
  { promise: 'A stream is taken up again by its session', file: 'src/http/transports/event-ids.ts', before: "createHmac('sha256', sessionId)", after: "createHmac('sha256', '')" },
  { promise: 'Every answer has the security headers', file: 'src/http/security-headers.ts', before: "  'X-Content-Type-Options': 'nosniff',\n", after: '' },
  { promise: 'Lists that depend on scopes or users', file: 'src/mcp/feature-options.ts', before: "{ ...hint, cacheScope: 'private' }", after: 'hint' },
  { promise: 'Guessing on the sign-in page', file: 'src/http/sign-in/authorize.ts', before: '    countFailure(clientAddressOf(ctx), authentication.refusal.fingerprint);\n', after: '' },
  { promise: 'Guessing on the sign-in page', file: 'src/http/sign-in/answers.ts', before: 'if (error.isGuess) countFailure(clientAddressOf(ctx), guessOf(error));', after: '' },
  { promise: 'Signing in asks each time', file: 'src/http/sign-in/answers.ts', before: "frame-ancestors 'none'", after: 'frame-ancestors *' },
  { promise: 'Registration stores nothing', file: 'src/sealed.ts', before: "return bytes.toString('base64url') === text ? bytes : undefined;", after: 'return bytes;' },
  { promise: 'A refresh token that is two generations old', file: 'src/auth/sign-in/families.ts', before: '      if (generation < current - 1) {\n        end(family);', after: '      if (generation < current - 1) {' },
  { promise: 'A refresh token that is two generations old', file: 'src/auth/sign-in/families.ts', before: 'generation < current - 1', after: 'generation < current' },
  { promise: 'A token of an identity provider counts only', file: 'src/auth/provider/claims.ts', before: 'accepted.has(name) || ', after: 'name.length > 0 || ' },
  { promise: 'The log holds no token', file: 'src/log.ts', before: 'return sessionId.slice(0, 8);', after: 'return sessionId;' },
  { promise: 'Errors hold no stack', file: 'src/http/errors.ts', before: 'const message = `Something went wrong here. Report the request id ${ctx.state.requestId}.`;', after: 'const message = `${String(error)} ${ctx.state.requestId}`;' },
  { promise: 'A user sees and uses the tools', file: 'src/auth/user.ts', before: 'user.scopes.includes(scope)', after: 'user.scopes.length > 0' },
  { promise: 'One user cannot shut others out', file: 'src/mcp/in-flight.ts', before: '    if (calls >= this.maxCallsPerUser) return false;\n', after: '' },
  { promise: 'One user cannot shut others out', file: 'src/mcp/session-request.ts', before: 'MAX_REQUESTS_IN_FLIGHT = 100', after: 'MAX_REQUESTS_IN_FLIGHT = 110' },
  { promise: 'No public server opens with a token', file: 'src/auth/tokens/weak-tokens.ts', before: "key.length < MIN_TOKEN_CHARS ? 'short'", after: "key.length < 1 ? 'short'" },
  { promise: 'Idle sessions end', file: 'src/sessions/registry.ts', before: 'session.isIdle(idleMs)', after: '!session.isIdle(idleMs)' },
  { promise: '`/metrics` is not there', file: 'src/http/metrics/metrics-route.ts', before: 'digestToken(sent) === digest', after: 'sent.length > 0' },
  { promise: '`/admin` lets in', file: 'src/http/admin/admin.ts', before: 'scopes?.includes(ADMIN) === true', after: 'scopes?.includes(ADMIN) !== false' },
]; // prettier-ignore
