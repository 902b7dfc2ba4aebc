/** Faults that tests once did not notice, one of each kind: `npm run mutate -- --named` puts each in, and some test must fail. */
import type { Mutant } from './mutant.ts';

/** A mutant by its text: it stands where its file has `before`. */
type NamedMutant = Omit<Mutant, 'start'>;

export const NAMED: readonly NamedMutant[] = [
  {
    name: 'beside a Bearer token other credential headers are not looked at',
    file: 'src/auth/credential.ts',
    before:
      "  if (headers['x-api-key'] !== undefined || headers['x-auth-token'] !== undefined) return undefined;\n",
    after: '',
  },
  {
    name: 'a closed session stays on the list of those who follow changes',
    file: 'src/mcp/session.ts',
    before: '    this.#definition.changes.leave(this);\n',
    after: '',
  },
  {
    name: 'the server of a closed session stays on the list of those who follow changes',
    file: 'src/mcp/changes.ts',
    before: '  session.server.onclose = () => changes.leave(follower);\n',
    after: '',
  },
  {
    name: 'credential headers are handed to the SDK',
    file: 'src/http/transports/stateless-endpoint.ts',
    before: "typeof value === 'string' && !CREDENTIAL_HEADERS.has(name)",
    after: "typeof value === 'string'",
  },
  {
    name: 'tools with x-mcp-header go the short way',
    file: 'src/mcp/fast-lane.ts',
    before:
      "return JSON.stringify(config.inputSchema['~standard'].jsonSchema.input()).includes('x-mcp-header');",
    after: "return config.inputSchema['~standard'] === undefined;",
  },
  {
    name: 'a signal that is asked for after the cancel is not aborted',
    file: 'src/mcp/lane.ts',
    before: '    if (this.isCancelled) this.#abort.abort();\n',
    after: '',
  },
  {
    name: 'a verifier that takes long lets in who has gone',
    file: 'src/http/gate/bearer-auth.ts',
    before: '      requireClient(ctx);\n',
    after: '',
  },
  {
    name: 'a stream is opened for a client that has gone',
    file: 'src/http/transports/sse-endpoint.ts',
    before: '    requireClient(ctx);\n',
    after: '',
  },
  {
    name: 'a missing credential counts as a failure',
    file: 'src/http/gate/bearer-auth.ts',
    before: "if (refusal.reason !== 'missing') countFailure",
    after: 'countFailure',
  },
  {
    name: 'stackTraceLimit is not restored',
    file: 'src/http/errors.ts',
    before: '    Error.stackTraceLimit = stackTraceLimit;\n',
    after: '',
  },
  {
    name: 'the time of the last change of a token file’s owner, mode or content is not looked at',
    file: 'src/auth/tokens/file-version.ts',
    before: "'mtimeNs', 'ctimeNs'",
    after: "'mtimeNs'",
  },
  {
    name: 'an answered request stays on the agenda',
    file: 'src/http/transports/pending-answer.ts',
    before: '    if (this.#missing > 0) return;\n    this.#slot?.delete(this);\n',
    after: '    if (this.#missing > 0) return;\n',
  },
  {
    name: 'a closed stream stays on the agenda',
    file: 'src/http/transports/event-streams.ts',
    before: '      stream.slot?.delete(stream);\n',
    after: '',
  },
  {
    name: 'draining looks once for calls, and not again',
    file: 'src/http/transports/stateless-endpoint.ts',
    before: '      while (calls.',
    after: '      if (calls.',
  },
  {
    name: 'a server that is woken is not told that its client is initialized',
    file: 'src/mcp/sdk-session.ts',
    before: 'if (handshake.isInitialized) this.onmessage',
    after: 'if (!handshake.isInitialized) this.onmessage',
  },
  {
    name: 'a client that has caught up is still watched',
    file: 'src/http/transports/event-streams.ts',
    before: '      this.#unread.delete(stream);\n      return;',
    after: '      return;',
  },
  {
    name: 'patterns of routes do not mind a slash at the end, nor the case',
    file: 'src/http/routing.ts',
    before: '{ strict: true, sensitive: true }',
    after: '{}',
  },
  {
    name: 'the bytes of a body that broke off are never given back',
    file: 'src/http/transports/body-bytes.ts',
    before: '      uploads.release(userId, claimed);\n',
    after: '',
  },
  {
    name: 'the bytes of a body that was parsed are never given back',
    file: 'src/http/transports/json-body.ts',
    before: '.finally(() => limits.uploads.release(grantOf(ctx).user.userId, bytes.length))',
    after: '',
  },
];
