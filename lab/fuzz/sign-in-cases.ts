/** Cases about signing in: whole sign-ins with a mistake in one step, and senseless requests. Neither may yield a code or a token. */
import { createHash } from 'node:crypto';
import { type Actor, Violation } from './actor.ts';
import type { Response } from './http-reader.ts';
import { type HttpRequest, toBytes } from './http-text.ts';
import { mutate, toJsonText } from './json-text.ts';
import { tagOf } from './oracle.ts';
import type { Random } from './random.ts';
import { CALLBACK, type Fields, type Step, WRONGS } from './sign-in-wrongs.ts';
import { ask, checkWhoami, statelessCall, type User } from './talk.ts';

/** Does a sign-in, right or with one mistake. After the mistake is refused, the right step must succeed. */
export async function signInCase(random: Random, actor: Actor): Promise<void> {
  const user = random.pick<User>(['ada', 'bob']);
  const wrong = random.chance(0.75) ? random.pick(WRONGS) : undefined;
  const origin = `http://${actor.target.host}:${actor.target.port}`;
  /** Does a step: if it is the one with the mistake, first with that, which must fail, and then rightly. */
  const step = async (at: Step, fields: Fields, make: (fields: Fields) => HttpRequest): Promise<Response> => {
    if (wrong?.[0] === at) requireNothing(at, await ask(actor, 'nobody', make(wrong[1](fields, random))));
    return ask(actor, 'nobody', make(fields));
  };

  const registered = await step('register', { redirect_uri: CALLBACK }, ({ redirect_uri: uri }) =>
    jsonRequest(actor, '/register', oddMetadata(random, uri ?? '')),
  );
  // 404 means that nobody can sign in at this server.
  if (registered.status === 404) return;
  const clientId = fieldOf(registered, 'client_id');
  const verifier = random.bytes(32).toString('base64url');
  const asked: Fields = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    state: random.pick([
      's',
      tagOf(actor.caseNumber, 'nobody'),
      '"><script>',
      '%00',
      'a&b=c',
      '\u0001'.repeat(600),
    ]),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...oddities(random, origin),
  };
  const page = await step('ask', asked, (fields) => ({
    method: 'GET',
    target: `/authorize?${new URLSearchParams(fields).toString()}`,
    headers: [...hostOf(actor), ['Accept', 'text/html']],
  }));
  const ticket = /name="ticket" value="([^"]+)"/.exec(page.body.toString())?.[1] ?? '';
  const pasted: Fields = { ticket, token: actor.target.secrets.tokens[user], action: 'allow' };
  const allowed = await step('allow', pasted, (fields) => formRequest(actor, '/authorize', fields));
  const callback = new URL(allowed.headers.get('location')?.[0] ?? 'none:');
  if (allowed.status !== 303 || callback.searchParams.get('state') !== asked['state'])
    throw new Violation(`a right form was answered ${allowed.status}`);

  const exchange: Fields = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    client_id: clientId,
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  };
  const tokens = await step('exchange', exchange, (fields) => formRequest(actor, '/token', fields));
  const [access, refresh] = [fieldOf(tokens, 'access_token'), fieldOf(tokens, 'refresh_token')];
  if (wrong?.[0] === 'use') {
    const bad = wrong[1]({ access_token: access, refresh_token: refresh }, random)['access_token'] ?? '';
    await callWith(actor, user, bad, true);
  }
  const answer = await callWith(actor, user, access, false);
  checkWhoami(actor, user, answer.status, answer.body.toString());
  await endSignIn(random, actor, { user, clientId, access, refresh, exchange });
}

/** What it takes to end a sign-in. */
interface Going {
  readonly user: User;
  readonly clientId: string;
  readonly access: string;
  readonly refresh: string;
  /** The form with which the code was exchanged. */
  readonly exchange: Fields;
}

/** Ends a sign-in in one of the possible ways; after that, its tokens must be refused. */
async function endSignIn(random: Random, actor: Actor, going: Going): Promise<void> {
  const { user, clientId, access, refresh, exchange } = going;
  const again = (token: string): HttpRequest =>
    formRequest(actor, '/token', { grant_type: 'refresh_token', refresh_token: token, client_id: clientId });
  const way = random.pick(['code', 'revoke', 'refresh'] as const);
  if (way === 'code')
    requireNothing('exchange', await ask(actor, 'nobody', formRequest(actor, '/token', exchange)));
  if (way === 'revoke') {
    const form = { token: random.pick([access, refresh]), client_id: clientId };
    await ask(actor, 'nobody', formRequest(actor, '/revoke', form));
  }
  if (way === 'refresh') {
    const next = fieldOf(await ask(actor, 'nobody', again(refresh)), 'refresh_token');
    fieldOf(await ask(actor, 'nobody', again(next)), 'refresh_token');
  }
  requireNothing('exchange', await ask(actor, 'nobody', again(refresh)));
  await callWith(actor, user, access, true);
}

/** Calls `whoami` with a token. */
async function callWith(actor: Actor, who: User, token: string, mustRefuse: boolean): Promise<Response> {
  const { headers, ...request } = statelessCall(actor, 'nobody', 'whoami', {});
  const bytes = toBytes({ ...request, headers: [...headers, ['Authorization', `Bearer ${token}`]] });
  const asked = { who: mustRefuse ? ('nobody' as const) : who, ids: new Set(['control']), mustRefuse };
  const [response] = await actor.exchange({ requests: [asked], pieces: [bytes], due: 'answers' });
  if (response === undefined) throw new Violation('no answer');
  return response;
}

const ROUTES = ['/authorize', '/token', '/register', '/revoke', '/authorize/style.css', '/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/sse', '/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp', '/.well-known/openid-configuration'] as const; // prettier-ignore
const NAMES = ['client_id', 'client_secret', 'redirect_uri', 'response_type', 'response_mode', 'state', 'scope', 'resource', 'code', 'code_verifier', 'code_challenge', 'code_challenge_method', 'grant_type', 'refresh_token', 'token', 'token_type_hint', 'ticket', 'action', 'prompt', 'request', 'request_uri', '__proto__', ''] as const; // prettier-ignore
const VALUES = ['', 'code', 'none', 'S256', 'authorization_code', 'refresh_token', 'allow', 'mcp_ci_', 'mcp_at_AAAA', 'mcp_rq_x', 'https://claude.ai/', 'https://127.0.0.1/client.json', 'https://[::1]/c.json', CALLBACK, '\0', '\u202e', 'é', '%', 'a'.repeat(43), 'a'.repeat(9_000), '{}', '[object Object]'] as const; // prettier-ignore

/** Sends a senseless request to one of the routes of signing in. */
export async function looseSignInCase(random: Random, actor: Actor): Promise<void> {
  const pairs = Array.from({ length: random.int(0, 8) }, (): [string, string] => [
    random.pick(NAMES),
    random.pick(VALUES),
  ]);
  const form = new URLSearchParams(pairs).toString();
  const route = random.pick(ROUTES);
  const hasQuery = random.chance(0.4) && form.length < 8_000;
  const method = random.pick(['GET', 'POST', 'POST', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
  const text = random.weighted<() => string>([
    [4, () => form],
    [2, () => toJsonText(mutate(random, { redirect_uris: [CALLBACK], client_name: 'x' }))],
    [1, () => random.pick(['', '{', '[]', 'null', '"x"', '%', '&&&=', 'a'.repeat(20_000)])],
  ])();
  const hasBody = !['GET', 'HEAD', 'OPTIONS'].includes(method);
  const type = random.pick(['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded', 'application/json', 'application/json; charset=utf-8', 'text/plain', 'multipart/form-data; boundary=x', ';;;']); // prettier-ignore
  const basic = Buffer.from(random.pick(['a:b', ':', 'mcp_ci_x:y', 'no colon'])).toString('base64');
  const request: HttpRequest = {
    method,
    target: hasQuery ? `${route}?${form}` : route,
    headers: [
      ...hostOf(actor),
      ['Accept', random.pick(['text/html', 'application/json', '*/*', 'image/png'])],
      ...(hasBody ? [['Content-Type', type] as const] : []),
      ...(random.chance(0.2) ? [['Authorization', `Basic ${basic}`] as const] : []),
      ...(random.chance(0.2)
        ? [['Sec-Fetch-Site', random.pick(['cross-site', 'same-origin', 'x'])] as const]
        : []),
    ],
    ...(hasBody && { body: Buffer.from(text) }),
  };
  const isHead = method === 'HEAD';
  const [response] = await actor.exchange({
    requests: [{ who: 'nobody', isHead }],
    pieces: [toBytes(request)],
    due: 'answers',
  });
  if (response !== undefined && /"access_token"|[?&]code=/.test(wholeOf(response)))
    throw new Violation('a code or a token for nothing');
}

/** Makes a client's metadata with many members that the server ignores. */
function oddMetadata(random: Random, redirectUri: string): object {
  return {
    ...(random.chance(0.5) && { logo_uri: null, contacts: ['x'], jwks: {}, scope: 'x', application_type: 1 }),
    client_name: random.pick(['Claude', '', 'x\u202ey', '<b>', 'é'.repeat(300)]),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
  };
}

/** Parameters that clients may add to a request. */
function oddities(random: Random, origin: string): Fields {
  return {
    ...(random.chance(0.5) && { resource: `${origin}${random.pick(['', '/', '/mcp', '/sse', '/tools'])}` }),
    ...(random.chance(0.5) && {
      scope: random.pick([
        'greet',
        'echo greet',
        'openid',
        'claudeai',
        'offline_access',
        ' ',
        'a'.repeat(500),
      ]),
    }),
    ...(random.chance(0.2) && { nonce: 'n', login_hint: 'x', prompt: 'consent' }),
  };
}

/** Fails unless a step with a mistake was refused, without a client id, a code or a token. */
function requireNothing(at: Step, response: Response): void {
  const isRefusal = response.status >= 400 || (response.status === 303 && at !== 'exchange');
  const text = wholeOf(response);
  if (!isRefusal || /"access_token"|"client_id"|[?&]code=/.test(text))
    throw new Violation(`${at} with something wrong was answered ${response.status}: ${text.slice(0, 300)}`);
}

/** The Location header and the body, as text. */
function wholeOf({ headers, body }: Response): string {
  return `${headers.get('location')?.[0] ?? ''}\n${body.toString()}`;
}

/** A string member of a JSON answer; fails when it is missing. */
function fieldOf({ status, body }: Response, name: string): string {
  const found = new RegExp(`"${name}":"([^"]+)"`).exec(body.toString())?.[1];
  if (found === undefined) throw new Violation(`no ${name} in an answer with ${status}`);
  return found;
}

/** The Host header, which every request has. */
function hostOf({ target }: Actor): HttpRequest['headers'] {
  return [['Host', `${target.host}:${target.port}`]];
}

/** Makes a POST with a form. */
function formRequest(actor: Actor, target: string, fields: Fields): HttpRequest {
  const type = ['Content-Type', 'application/x-www-form-urlencoded'] as const;
  const body = Buffer.from(new URLSearchParams(fields).toString());
  return { method: 'POST', target, headers: [...hostOf(actor), type], body };
}

/** Makes a POST with JSON. */
function jsonRequest(actor: Actor, target: string, body: object): HttpRequest {
  const headers = [...hostOf(actor), ['Content-Type', 'application/json'] as const];
  return { method: 'POST', target, headers, body: Buffer.from(JSON.stringify(body)) };
}
