/** Cases about the tokens of an identity provider: valid ones, and ones that must be refused. Without a provider, all must be refused. */
import { createHmac } from 'node:crypto';
import { type Actor, Violation } from './actor.ts';
import { toBytes } from './http-text.ts';
import { toolCall } from './messages.ts';
import { isObject } from './oracle.ts';
import { makeKeyPair, type MadeUpIssuer, signJwt } from '../made-up-issuer.ts';
import type { Random } from './random.ts';
import {
  ask,
  checkSession,
  checkWhoami,
  endSession,
  headersOf,
  openSession,
  post,
  statelessCall,
  type User,
} from './talk.ts';

/** The claims of a token. */
type Claims = Readonly<Record<string, unknown>>;

/** Makes a token that must be refused, from claims that would be valid. */
type Spoil = (issuer: MadeUpIssuer, claims: Claims, random: Random) => string;

const FOREIGN = makeKeyPair();

/** The mistakes, each of which is enough for a refusal. */
const SPOILS: readonly Spoil[] = [
  ...['iss', 'aud', 'exp', 'sub'].map((name): Spoil => ({ sign }, claims) => sign(lacking(claims, name))),
  ({ sign, issuer }, claims, random) => sign({ ...claims, iss: random.pick([`${issuer}/`, issuer.toUpperCase(), [issuer], 'x']) }),
  ({ sign }, claims, random) => sign({ ...claims, aud: random.pick(['x', [], [1], `${String(claims['aud'])}-other`, `${String(claims['aud'])}//`]) }),
  ({ sign }, claims, random) => sign({ ...claims, exp: random.pick([1, -1, '9999999999', null, true, 0]) }),
  ({ sign }, claims) => sign({ ...claims, nbf: Number(claims['exp']) }),
  ({ sign }, claims, random) => sign({ ...claims, [random.pick(['nonce', 'at_hash', 'cnf'])]: 'x' }),
  ({ sign }, claims, random) => sign({ ...claims, sub: random.pick(['', ' ', 'a\nb', '\u202e', 'x'.repeat(300), {}, []]) }),
  ({ sign }, claims) => sign(claims, { key: FOREIGN.privateKey }),
  ({ sign }, claims) => sign(claims, { header: { kid: 'unknown' }, key: FOREIGN.privateKey }),
  ({ sign }, claims, random) => sign(claims, { header: { alg: random.pick(['none', 'None', 'HS256', 'RS256', 'ES384', 'EdDSA', '', null]) } }),
  ({ sign }, claims) => sign(claims, { header: { crit: ['x'], x: 1 } }),
  ({ sign }, claims) => sign(claims, { header: { jwk: FOREIGN.publicKey.export({ format: 'jwk' }) }, key: FOREIGN.privateKey }),
  ({ sign }, claims) => sign(claims, { header: { jku: 'http://127.0.0.1:9/jwks', x5u: 'http://127.0.0.1:9/x' }, key: FOREIGN.privateKey }),
  ({ sign }, claims) => sign(claims, { header: { typ: 'JWT', alg: 'none' } }).replace(/\.[^.]*$/, '.'),
  ({ sign }, claims) => withHmac(sign(claims, { header: { alg: 'HS256' } })),
  ({ sign }, claims, random) => swapCharacter(sign(claims), random),
  ({ sign }, claims, random) => sign(claims).split('.').slice(0, random.int(1, 2)).join('.'),
  ({ sign }, claims, random) => `${sign(claims)}${random.pick(['.', '.x', '=', 'A', '..'])}`,
]; // prettier-ignore

/** Sends a token that is valid, or has one mistake. */
export async function jwtCase(random: Random, actor: Actor): Promise<void> {
  const { host, port, secrets, issuer } = actor.target;
  const user = random.pick<User>(['ada', 'bob']);
  const [userId = '', name] = secrets.identities[user];
  const claims = {
    iss: issuer?.issuer ?? 'https://id.example',
    // Users of the token file have no issuer in front of their id.
    sub: userId.slice(userId.indexOf('#') + 1),
    name,
    aud: `http://${host}:${port}${random.pick(['', '/mcp', '/sse', '/tools'])}`,
    exp: 4_000_000_000,
  };
  const isSpoilt = random.chance(issuer === undefined ? 0.8 : 0.6);
  const signer = issuer ?? STRANGER;
  const token = isSpoilt ? random.pick(SPOILS)(signer, claims, random) : signer.sign(claims);
  const mustRefuse = isSpoilt || issuer === undefined;
  const { headers, ...request } = statelessCall(actor, 'nobody', 'whoami', {});
  const [response] = await actor.exchange({
    requests: [{ who: mustRefuse ? 'nobody' : user, ids: new Set(['control']), mustRefuse }],
    pieces: [toBytes({ ...request, headers: [...headers, ['Authorization', `Bearer ${token}`]] })],
    due: 'answers',
  });
  if (response === undefined) throw new Violation('no answer');
  if (mustRefuse) return;
  checkWhoami(actor, user, response.status, response.body.toString());
  await checkUserId(actor, user, `${signer.issuer}#${claims.sub}`);
  await checkNamesake(actor, user);
}

/** Checks the user id by which the server tells users apart, and which `whoami` does not show: a `sub` is unique only at its provider. */
async function checkUserId(actor: Actor, user: User, expected: string): Promise<void> {
  const { status, body } = await ask(actor, user, {
    method: 'GET',
    target: '/tools',
    headers: headersOf(actor, user),
  });
  const text = body.toString();
  const listing: unknown = status === 200 ? JSON.parse(text) : undefined;
  const listed = isObject(listing) && isObject(listing['user']) ? listing['user']['userId'] : undefined;
  if (listed !== expected)
    throw new Violation(`/tools of ${expected} was answered ${status} ${text.slice(-300)}`);
}

/** Checks that a user of the token file with the same id as the provider's user cannot use that user's session. */
async function checkNamesake(actor: Actor, user: User): Promise<void> {
  const session = await openSession(actor, user, '2025-11-25');
  const token = actor.target.namesakes?.[user];
  if (token !== undefined) {
    const call = post(actor, user, toolCall('namesake', 'whoami', {}), { session: session.id });
    const headers = call.headers.map(([name, value]) =>
      name === 'Authorization' ? ([name, `Bearer ${token}`] as const) : ([name, value] as const),
    );
    const { status } = await ask(actor, user, { ...call, headers });
    if (status !== 404) throw new Violation(`a session was open to a namesake of ${user}: ${status}`);
  }
  await checkSession(actor, session);
  await endSession(actor, session);
}

/** A provider that the server does not know. */
const STRANGER: MadeUpIssuer = {
  issuer: 'https://id.example',
  sign: (claims, options = {}) => signJwt(claims, { key: FOREIGN.privateKey, ...options }),
  close: () => undefined,
};

/** Removes one of the claims. */
function lacking(claims: Claims, name: string): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
}

/** Signs the token with HMAC and a public key as its secret, which anybody could do. */
function withHmac(token: string): string {
  const text = token.slice(0, token.lastIndexOf('.'));
  const key = FOREIGN.publicKey.export({ format: 'pem', type: 'spki' });
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/** Changes one character of the token. Not the last one, which holds less than six bits. */
function swapCharacter(token: string, random: Random): string {
  const at = random.int(0, token.length - 2);
  if (token[at] === '.') return `${token.slice(0, at)}${token.slice(at + 1)}`;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}
