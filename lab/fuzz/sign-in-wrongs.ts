/** The mistakes that a step of a sign-in may have, each of which must end it. */
import type { Random } from './random.ts';

/** The parameters of a request. */
export type Fields = Readonly<Record<string, string>>;

/** A step of a sign-in. */
export type Step = 'register' | 'ask' | 'allow' | 'exchange' | 'use';

/** A mistake: the step, and the change that makes it wrong. */
export type Wrong = readonly [at: Step, change: (fields: Fields, random: Random) => Fields];

/** The redirect URI of the client of each case; nothing listens there. */
export const CALLBACK = 'http://127.0.0.1:3118/callback';
/** Redirect URIs that must never be sent a code. */
const EVIL = ['https://evil.example/cb', 'http://127.0.0.1.evil.example/callback', 'javascript:alert(1)', 'https://claude.ai@evil.example/', `${CALLBACK}#x`, '//evil.example', 'http://127.0.0.1:3118\\@evil.example/callback'] as const; // prettier-ignore

/** The mistakes. */
export const WRONGS: readonly Wrong[] = [
  ['register', (fields, random) => ({ ...fields, redirect_uri: random.pick(EVIL) })],
  ['ask', (fields, random) => ({ ...fields, redirect_uri: random.pick(EVIL) })],
  ['ask', (fields, random) => ({ ...fields, redirect_uri: `${CALLBACK}${random.pick(['/', '/..', '?x=1', '%20', '/%2e'])}` })],
  ['ask', changed('client_id')],
  ['ask', without('code_challenge')],
  ['ask', (fields, random) => ({ ...fields, code_challenge_method: random.pick(['plain', 's256', 'S512', '']) })],
  ['ask', (fields, random) => ({ ...fields, response_type: random.pick(['token', 'code token', 'id_token', 'none', 'CODE']) })],
  ['ask', (fields, random) => ({ ...fields, resource: random.pick(['https://evil.example/mcp', 'mcp', 'http://127.0.0.1/mcp', 'urn:x']) })],
  ['ask', (fields) => ({ ...fields, prompt: 'none' })],
  ['ask', (fields, random) => ({ ...fields, state: random.pick(['\u0001', '"', 'x']).repeat(random.int(4_097, 4_200)) })],
  ['allow', changed('ticket')],
  ['allow', changed('token')],
  ['allow', without('token')],
  ['allow', (fields) => ({ ...fields, action: 'deny' })],
  ['allow', (fields, random) => ({ ...fields, redirect_uri: random.pick(EVIL) })],
  ['exchange', changed('code')],
  ['exchange', changed('code_verifier')],
  ['exchange', without('code_verifier')],
  ['exchange', changed('client_id')],
  ['exchange', (fields, random) => ({ ...fields, redirect_uri: random.pick(EVIL) })],
  ['exchange', (fields, random) => ({ ...fields, grant_type: random.pick(['password', 'client_credentials', 'implicit', 'refresh_token']) })],
  ['exchange', (fields, random) => ({ ...fields, resource: random.pick(['https://evil.example/mcp', 'mcp']) })],
  ['use', changed('access_token')],
  ['use', (fields) => ({ ...fields, access_token: fields['refresh_token'] ?? '' })],
]; // prettier-ignore

/** Makes a mistake that changes one character of a field. */
function changed(name: string): Wrong[1] {
  return (fields, random) => {
    const text = fields[name] ?? '';
    const at = random.int(0, text.length - 1);
    return { ...fields, [name]: `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}` };
  };
}

/** Makes a mistake that removes a field. */
function without(name: string): Wrong[1] {
  return (fields) => Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
}
