/** Every form in which a credential may arrive, and the hint for each malformed one. */
import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readCredential } from '../../src/auth/credential.ts';

const TOKEN = 'tok_ada_0123456789';

/** The hint for headers with a malformed credential. */
function hintFor(headers: IncomingHttpHeaders): string {
  const credential = readCredential(headers);
  if (credential.kind !== 'malformed') throw new Error(`Not malformed: ${credential.kind}`);
  return credential.hint;
}

test('a token that the client failed to decrypt has a hint of its own, in each header', () => {
  const token = '__encrypted__:AAECAwQFBgcICQ==';

  expect(hintFor({ authorization: `Bearer ${token}` })).toContain('its encrypted copy of the token');
  expect(hintFor({ 'x-api-key': token })).toContain('its encrypted copy of the token');
});

describe('a credential', () => {
  test.each<{ headers: IncomingHttpHeaders }>([
    { headers: { authorization: `Bearer ${TOKEN}` } },
    { headers: { authorization: `bearer ${TOKEN}` } },
    { headers: { authorization: `BEARER ${TOKEN}` } },
    { headers: { authorization: `Bearer    ${TOKEN}` } },
    { headers: { authorization: `  Bearer ${TOKEN}\t ` } },
    { headers: { 'x-api-key': TOKEN } },
    { headers: { 'x-api-key': ` ${TOKEN} ` } },
    { headers: { 'x-auth-token': TOKEN } },
    { headers: { authorization: `Bearer ${TOKEN}`, 'x-api-key': TOKEN } },
    { headers: { authorization: `Bearer ${TOKEN}`, 'x-api-key': TOKEN, 'x-auth-token': TOKEN } },
    // Another scheme is meant for somebody else, such as a proxy.
    { headers: { authorization: 'Basic dXNlcjpwYXNz', 'x-api-key': TOKEN } },
    { headers: { authorization: '', 'x-auth-token': TOKEN } },
  ])('is found in $headers', ({ headers }) => {
    expect(readCredential(headers)).toEqual({ kind: 'token', token: TOKEN });
  });

  test.each(['a', 'a.b-c_d~e+f/g==', '!"#$%&()*,:;?@[]^{|}', 'sha256:abc', '$', '%', '${', '<a', 'a"'])(
    'may be any printable characters without spaces: %s',
    (token) => {
      expect(readCredential({ authorization: `Bearer ${token}` })).toEqual({ kind: 'token', token });
    },
  );

  test('of printable characters is read unchanged, unless it looks like a mistake', () => {
    const token = fc.stringMatching(/^[\x21-\x7e]{1,80}$/).filter((text) => !/^["'`<$%]/.test(text));

    fc.assert(
      fc.property(token, fc.constantFrom('authorization', 'x-api-key', 'x-auth-token'), (sent, name) => {
        const value = name === 'authorization' ? `Bearer ${sent}` : sent;

        expect(readCredential({ [name]: value })).toEqual({ kind: 'token', token: sent });
      }),
    );
  });
});

describe('no credential', () => {
  test.each<{ headers: IncomingHttpHeaders }>([
    { headers: {} },
    { headers: { authorization: '' } },
    { headers: { authorization: '   ' } },
    { headers: { authorization: 'Basic dXNlcjpwYXNz' } },
    { headers: { authorization: `Token ${TOKEN}` } },
    { headers: { cookie: `token=${TOKEN}` } },
    { headers: { 'x-token': TOKEN } },
    { headers: { 'proxy-authorization': `Bearer ${TOKEN}` } },
  ])('is found in $headers', ({ headers }) => {
    expect(readCredential(headers)).toEqual({ kind: 'none' });
  });
});

test.each<IncomingHttpHeaders>([
  { authorization: `Bearer ${TOKEN}`, 'x-api-key': '' },
  { authorization: `Bearer ${TOKEN}`, 'x-auth-token': ' ', 'x-api-key': '' },
  { authorization: 'Bearer ', 'x-api-key': TOKEN },
  { authorization: '', 'x-auth-token': TOKEN },
])('an empty header does not count as a second credential: %j', (headers) => {
  expect(readCredential(headers)).toEqual({ kind: 'token', token: TOKEN });
});

describe('a hint', () => {
  test.each<{ words: string; headers: IncomingHttpHeaders }>([
    { words: 'must read "Bearer <token>"', headers: { authorization: TOKEN } },
    { words: 'must read "Bearer <token>"', headers: { authorization: `Bearer:${TOKEN}` } },
    { words: 'must read "Bearer <token>"', headers: { authorization: `Bearer${TOKEN}` } },
    { words: 'must read "Bearer <token>"', headers: { authorization: `Bearer\t${TOKEN}` } },
    { words: 'must read "Bearer <token>"', headers: { authorization: '${AUTH_HEADER}' } },
    { words: 'is empty', headers: { authorization: 'Bearer' } },
    { words: 'is empty', headers: { authorization: 'Bearer  ' } },
    { words: 'is empty', headers: { 'x-api-key': '' } },
    { words: 'is empty', headers: { 'x-auth-token': '  ' } },
    { words: '"Bearer" is there twice', headers: { authorization: `Bearer Bearer ${TOKEN}` } },
    { words: '"Bearer" is there twice', headers: { authorization: `Bearer bearer ${TOKEN}` } },
    { words: 'take the token alone', headers: { 'x-api-key': `Bearer ${TOKEN}` } },
    { words: 'take the token alone', headers: { 'x-auth-token': `bearer ${TOKEN}` } },
    { words: 'the name of a variable', headers: { authorization: 'Bearer ${AUTH_TOKEN}' } },
    { words: 'the name of a variable', headers: { authorization: 'Bearer ${input:mcp token}' } },
    { words: 'the name of a variable', headers: { authorization: 'Bearer $AUTH_TOKEN' } },
    { words: 'the name of a variable', headers: { 'x-api-key': '%AUTH_TOKEN%' } },
    { words: 'Remove the quotes', headers: { authorization: `Bearer "${TOKEN}"` } },
    { words: 'Remove the quotes', headers: { authorization: `Bearer '${TOKEN}'` } },
    { words: 'Remove the quotes', headers: { 'x-api-key': `\`${TOKEN}\`` } },
    { words: 'Remove the quotes', headers: { authorization: `Bearer <${TOKEN}>` } },
    { words: 'copy it again', headers: { authorization: 'Bearer tok one' } },
    { words: 'copy it again', headers: { authorization: 'Bearer tok_sécret' } },
    { words: 'copy it again', headers: { 'x-api-key': 'tok\tone' } },
    { words: 'copy it again', headers: { 'x-api-key': 'tok_a, tok_a' } },
    { words: 'two different', headers: { authorization: `Bearer ${TOKEN}`, 'x-api-key': 'tok_other' } },
    { words: 'two different', headers: { 'x-auth-token': TOKEN, 'x-api-key': 'tok_other' } },
  ])('says "$words" for $headers', ({ words, headers }) => {
    const hint = hintFor(headers);

    expect(hint).toContain(words);
    expect(hint).not.toContain(TOKEN);
  });

  test('never contains what was sent', () => {
    const value = fc.string({ minLength: 12 }).filter((text) => text.trim().length >= 12);
    const form = fc.constantFrom<(sent: string) => IncomingHttpHeaders>(
      (sent) => ({ authorization: sent }),
      (sent) => ({ authorization: `Bearer ${sent}` }),
      (sent) => ({ authorization: `Bearer Bearer ${sent}` }),
      (sent) => ({ 'x-api-key': `"${sent}"` }),
      (sent) => ({ 'x-auth-token': sent, 'x-api-key': 'tok_other' }),
    );

    fc.assert(
      fc.property(value, form, (sent, headersWith) => {
        const credential = readCredential(headersWith(sent));

        const hint = credential.kind === 'malformed' ? credential.hint : '';
        expect(hint).not.toContain(sent.trim());
      }),
    );
  });

  test('is given, or another answer, for any content of the headers', () => {
    const value = fc.option(fc.string(), { nil: undefined });

    fc.assert(
      fc.property(value, value, value, (authorization, apiKey, authToken) => {
        const { kind } = readCredential({
          ...(authorization !== undefined && { authorization }),
          ...(apiKey !== undefined && { 'x-api-key': apiKey }),
          ...(authToken !== undefined && { 'x-auth-token': authToken }),
        });

        expect(['token', 'none', 'malformed']).toContain(kind);
      }),
    );
  });
});
