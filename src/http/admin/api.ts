/** The API of the page for admins. Callers send their token in a header, which a page of another site cannot make a browser do. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { describeEntry } from '../../auth/tokens/entry-facts.ts';
import { digestToken, tokenIdOf } from '../../auth/digest.ts';
import { mintToken } from '../../auth/tokens/new-token.ts';
import type { TokenEntry } from '../../auth/tokens/token-set.ts';
import { runInSlices, type Steps } from '../../in-slices.ts';
import { personalLink } from '../../connect/target.ts';
import type { Session } from '../../sessions/registry.ts';
import { grantOf, type Handler, type RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import { readJsonBody } from '../transports/json-body.ts';
import type { AdminParts } from './admin.ts';
import { describeFault } from './body-faults.ts';
import { CHANGE, type MadeToken, planChange, versionOf } from './changes.ts';
import { badRequest, entryOf, NEW_TOKENS, readTable } from './wishes.ts';

/** The body that ends a session. */
const END = z.strictObject({ session: z.string().max(32) });

/** Makes the handlers, by path and method. */
export function createAdminApi(parts: AdminParts): Record<string, Record<string, Handler>> {
  const { people, usage, registry, endSession, bodies, scopes, log, now = Date.now } = parts;
  /** Reads a body and checks its form. */
  const read = async <Shape>(ctx: RequestContext, shape: z.ZodType<Shape>): Promise<Shape> => {
    const parsed = shape.safeParse(await readJsonBody(ctx, bodies), { reportInput: true });
    if (parsed.success) return parsed.data;
    throw badRequest(`The body is not as expected: ${describeFault(parsed.error)}`);
  };
  /** Logs who did what. */
  const note = (ctx: RequestContext, action: string, facts: Readonly<Record<string, unknown>>): void => {
    const { user, tokenId } = grantOf(ctx);
    log.info({ admin: user.userId, adminTokenId: tokenId, action, ...facts }, 'changed by an admin');
  };
  /** A new token with its link, which is shown only once. */
  const shown = (ctx: RequestContext, made: MadeToken) => ({
    ...made,
    link: personalLink({ origin: parts.publicUrl ?? addressOf(ctx), token: made.token }),
  });

  const list: Handler = async (ctx) => {
    const [entries] = await Promise.all([people.read(), usage.refresh()]);
    const head = {
      store: { kind: people.kind, fixedBecause: people.fixedBecause ?? null },
      scopes,
      usage: usage.words,
    };
    const nowMs = now();
    const describe = (entry: TokenEntry): object => {
      const facts = describeEntry(entry, nowMs);
      const used = {
        version: versionOf(entry),
        lastUse: usage.lastUseOf(facts.id),
        calls: usage.callsOf(facts.userId),
      };
      return Object.assign(used, facts);
    };
    ctx.type = 'json';
    ctx.body = await runInSlices(writeList(head, entries, describe));
  };
  const create: Handler = async (ctx) => {
    const wish = await read(ctx, NEW_TOKENS);
    const isTable = 'table' in wish;
    const nowMs = now();
    const wanted = (isTable ? readTable(wish.table) : wish.people).map((person) => entryOf(person, nowMs));
    const { result, problem } = await people.edit((entries) => {
      const known = new Set(isTable ? entries.map(({ user }) => user.userId) : []);
      const added = wanted
        .filter(({ userId }) => !known.has(userId))
        .map((fields) => ({ fields, token: mintToken() }));
      const add = added.map(({ fields, token }) => ({ digest: digestToken(token), fields }));
      return { edits: { add }, result: { made: added, skipped: wanted.length - added.length } };
    });
    const { made, skipped } = result;
    const tokens = made.map(({ fields: { userId, name = userId }, token }) =>
      shown(ctx, { id: tokenIdOf(digestToken(token)), userId, name, token }),
    );
    note(ctx, 'create', { tokens: tokens.length, tokenIds: tokens.slice(0, 20).map(({ id }) => id) });
    const warning = warningOf(problem, tokens.length);
    ctx.status = 201;
    ctx.body = { tokens, skipped, ...warning };
  };
  const change: Handler = async (ctx) => {
    const wish = await read(ctx, CHANGE);
    const ownId = grantOf(ctx).tokenId;
    const { result, problem } = await people.edit((entries) =>
      planChange(wish, entries, { nowMs: now(), ownId }),
    );
    const { changed, made } = result;
    note(ctx, wish.action, { tokens: changed.length, changed: changed.slice(0, 20) });
    const warning = warningOf(problem, made.length);
    ctx.body = { changed, tokens: made.map((token) => shown(ctx, token)), ...warning };
  };
  const listSessions: Handler = (ctx) => {
    ctx.body = { sessions: [...registry.all()].map(describeSession) };
  };
  const end: Handler = async (ctx) => {
    const { session: handle } = await read(ctx, END);
    const session = [...registry.all()].find((candidate) => handleOf(candidate) === handle);
    if (session === undefined) throw new HttpError(404, 'no_such_session', 'That session has ended already.');
    await endSession(session);
    note(ctx, 'end session', { userId: session.userId, kind: session.kind });
    ctx.body = { ended: handle };
  };
  return {
    people: { GET: list },
    tokens: { GET: list, POST: create },
    'tokens/change': { POST: change },
    sessions: { GET: listSessions },
    'sessions/end': { POST: end },
  };
}

/**
 * The warning of an answer when a change was written, but the server goes on with the tokens that it had. Tokens that were made are shown
 * all the same: they cannot be shown again.
 * @throws {HttpError} 409 when none were made, so that the answer is not a success
 */
function warningOf(problem: string | undefined, madeCount: number): { readonly warning?: string } {
  if (problem === undefined) return {};
  const words = `The change is written, but not in force: the server still uses the tokens that it had. ${problem}`;
  if (madeCount === 0) throw new HttpError(409, 'not_in_force', words);
  return { warning: words };
}

/** Writes the list as JSON, entry by entry: a hundred thousand at once would block every other request. */
function* writeList(
  head: object,
  entries: readonly TokenEntry[],
  describe: (entry: TokenEntry) => object,
): Steps<string> {
  const tokens: string[] = [];
  for (const entry of entries) {
    tokens.push(JSON.stringify(describe(entry)));
    yield;
  }
  return `${JSON.stringify(head).slice(0, -1)},"tokens":[${tokens.join(',')}]}`;
}

/** Describes a session for the page. */
function describeSession(session: Session) {
  return {
    session: handleOf(session),
    userId: session.userId,
    transport: session.kind,
    client: clientOf(session),
    hasStream: session.hasStream,
    callsInFlight: session.connection.callsInFlight,
  };
}

/** The name and version that a client has given; null if it has given none, or not to this process. */
function clientOf({ connection }: Session): string | null {
  const parsed = HELLO.safeParse(connection.mcp?.handshake?.params);
  if (!parsed.success) return null;
  const { name, version = '' } = parsed.data.clientInfo;
  return `${name} ${version}`.trim().slice(0, 100);
}

/** The parameters of `initialize` that describe the client. */
const HELLO = z.object({ clientInfo: z.object({ name: z.string(), version: z.string().optional() }) });

/** Identifies a session without its id, which would give access to it. */
function handleOf({ id }: Session): string {
  return createHash('sha256').update(`admin ${id}`).digest('base64url').slice(0, 16);
}

/** The address that the request was sent to, for a server without PUBLIC_URL. The gate has allowed its Host. */
function addressOf(ctx: RequestContext): string {
  return `${ctx.protocol}://${ctx.req.headers.host ?? 'localhost'}`;
}
