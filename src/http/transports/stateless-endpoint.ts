/** The 2026-07-28 revision: each POST stands alone. The SDK's handler does the protocol; this file connects it to Node. */
import type { ServerResponse } from 'node:http';
import { createMcpHandler, type McpHttpHandler } from '@modelcontextprotocol/server';
import type { Grant } from '../../auth/verifier.ts';
import { toAuthInfo } from '../../mcp/caller.ts';
import { type StatelessAnswer, LaneCall } from '../../mcp/lane.ts';
import { correctParamsErrorIn } from '../../mcp/params-check.ts';
import type { PlainCall } from '../../mcp/plain-call.ts';
import { STATELESS_REVISION } from '../../mcp/plain-meta.ts';
import { createMcpServer, type McpDefinition } from '../../mcp/server.ts';
import type { SessionRegistry } from '../../sessions/registry.ts';
import { grantOf, type RequestContext, senderOf } from '../context.ts';
import type { EventStream } from './event-stream.ts';
import type { EventStreams } from './event-streams.ts';
import type { RpcBody } from './json-rpc.ts';
import { PendingAnswer } from './pending-answer.ts';
import { holdSubscription, isSubscription } from './subscriptions.ts';

/** What the endpoint is made from. */
export interface StatelessParts {
  readonly definition: McpDefinition;
  readonly registry: SessionRegistry;
  readonly streams: EventStreams;
}

/** Serves requests of the stateless revision. */
export interface StatelessEndpoint {
  /** Answers one POST. */
  handle(ctx: RequestContext, body: RpcBody): Promise<void>;
  /** Waits for the calls in flight, then ends the subscriptions with the answer that the revision defines for that. */
  drain(): Promise<void>;
}

/** A request in flight. */
interface Work {
  readonly grant: Grant;
  /** Aborts it, and answers that its token is no longer valid. */
  revoke(): void;
}

/** Makes the endpoint. */
export function createStatelessEndpoint({
  definition,
  registry,
  streams,
}: StatelessParts): StatelessEndpoint {
  const createHandler = () =>
    createMcpHandler(() => createMcpServer(definition, { isStateless: true }), {
      legacy: 'reject',
      bus: definition.changes.subscriptions,
      // The registry caps subscriptions, as sessions, and `EventStreams` writes the heartbeats of every stream.
      maxSubscriptions: Number.MAX_SAFE_INTEGER,
      keepAliveMs: 0,
    });
  let handler: McpHttpHandler | undefined;
  const findHandler = () => (handler ??= createHandler());
  const working = new Set<Work>();
  definition.inFlight.join({
    endRevoked(isCurrent) {
      for (const work of working) if (!isCurrent(work.grant)) work.revoke();
    },
  });
  const calls = { running: 0 };
  let onIdle: (() => void) | undefined;

  /** Runs a plain call in the fast lane; undefined when the SDK must have it. */
  const runPlain = (
    ctx: RequestContext,
    call: PlainCall,
    pending: PendingAnswer,
  ): Promise<void> | undefined => {
    const running = new LaneCall(pending, call.progressToken);
    const caller = senderOf(ctx, 'streamable-http');
    const frame = { caller, protocolVersion: STATELESS_REVISION, origin: running };
    const lane = definition.findLane();
    const result = lane?.runStateless(call, ctx.req.headers, frame);
    if (lane === undefined || result === undefined) return undefined;
    // A client of this revision cancels a request by closing its response. After the answer that has no effect.
    ctx.res.on('close', () => running.cancel());
    const work = {
      grant: caller.grant,
      revoke: () => {
        running.cancel();
        pending.abandon(call.id, 'revoked');
      },
    };
    working.add(work);
    const finish = async (): Promise<void> => {
      const found = await result;
      working.delete(work);
      // A call that was revoked has been answered already.
      if (!running.isCancelled) pending.settle(lane.spellStateless(call.id, found));
    };
    return finish();
  };

  /** Answers what the fast lane can answer at once; false when the SDK, or a run of the tool, must answer it. */
  const answerAtOnce = (
    ctx: RequestContext,
    { call, question }: RpcBody,
    pending: PendingAnswer,
  ): boolean => {
    const { headers } = ctx.req;
    const lane = definition.findLane();
    const known = question && lane?.recall(question, headers, grantOf(ctx).user);
    if (known !== undefined) pending.settle(known.text, known.head);
    if (known !== undefined || call === undefined) return known !== undefined;
    const refusal = lane?.refuseStateless(call, headers, senderOf(ctx, 'streamable-http'));
    if (refusal !== undefined) pending.settle(refusal);
    return refusal !== undefined;
  };

  return {
    async handle(ctx, message) {
      const { body, call, question } = message;
      const pending = new PendingAnswer(ctx, { streams });
      if (answerAtOnce(ctx, message, pending)) return;
      const plain = call && runPlain(ctx, call, pending);
      if (plain === undefined && isSubscription(body)) {
        holdSubscription(ctx, body, { registry, changes: definition.changes });
        return exchange({ ctx, pending, handler: findHandler(), working, body });
      }
      const hear = (answer: StatelessAnswer): void => {
        if (question !== undefined) definition.findLane()?.learn(question, grantOf(ctx).user, answer);
      };
      calls.running += 1;
      try {
        await (plain ?? exchange({ ctx, pending, handler: findHandler(), working, body, hear }));
      } finally {
        calls.running -= 1;
        if (calls.running === 0) onIdle?.();
      }
    },
    async drain() {
      // More calls may come meanwhile, on connections that are still open.
      while (calls.running > 0)
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      const ending = handler;
      // Requests that still come on open connections are answered by another handler.
      handler = undefined;
      await ending?.close();
    },
  };
}

/** One request on its way through the SDK's handler. */
interface Exchange {
  readonly ctx: RequestContext;
  readonly pending: PendingAnswer;
  readonly handler: McpHttpHandler;
  readonly working: Set<Work>;
  readonly body: unknown;
  /** Called with an answer that is no stream. */
  readonly hear?: (answer: StatelessAnswer) => void;
}

/** Hands a request to the SDK's handler, and writes its response. */
async function exchange({ ctx, pending, handler, working, body, hear }: Exchange): Promise<void> {
  const { req, res } = ctx;
  const abort = new AbortController();
  // A client of this revision cancels a request by closing its response.
  res.once('close', () => abort.abort());
  const work = {
    grant: grantOf(ctx),
    revoke: () => {
      pending.abandon(ctx.state.rpcId ?? null, 'revoked');
      abort.abort();
    },
  };
  working.add(work);
  // When the response closes, it has been answered, or its client has gone.
  res.once('close', () => working.delete(work));

  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    // Credentials are left out: nothing behind this line needs them.
    if (typeof value === 'string' && !CREDENTIAL_HEADERS.has(name)) headers.set(name, value);
  }
  const request = new Request('http://localhost/mcp', { method: 'POST', headers, signal: abort.signal });
  const authInfo = toAuthInfo(senderOf(ctx, 'streamable-http'));
  const response = await handler.fetch(request, { authInfo, parsedBody: body });
  if (abort.signal.aborted) return void response.body?.cancel();
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  const { body: frames } = response;
  const stream = isStream ? pending.openStream() : undefined;
  if (stream !== undefined && frames !== null) return pump(frames, stream, res);
  const head = { status: response.status, headers: [...response.headers].flat() };
  const text = correctParamsErrorIn(await response.text(), body);
  hear?.({ text, head });
  pending.settle(text, head);
}

const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'x-api-key',
  'x-auth-token',
  'cookie',
]);

/** Copies the frames of a stream until either side ends it. */
async function pump(
  body: ReadableStream<Uint8Array>,
  stream: EventStream,
  res: ServerResponse,
): Promise<void> {
  const reader = body.getReader();
  res.once('close', () => void reader.cancel().catch(() => undefined));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    stream.write(value);
  }
  stream.end();
}
