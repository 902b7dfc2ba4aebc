/** Finds the credential in a request's headers: `Authorization: Bearer`, `x-api-key` or `x-auth-token`. */
import type { IncomingHttpHeaders } from 'node:http';

/** What the headers hold as a credential. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' }
  /** Something that cannot be a credential; `hint` says what to change. It never quotes the value. */
  | { readonly kind: 'malformed'; readonly hint: string };

/** Reads the credential. The query string is never looked at: it ends up in logs and histories (RFC 6750, section 5.3). */
export function readCredential(headers: IncomingHttpHeaders): Credential {
  return readUsual(headers) ?? readThoroughly(headers);
}

const BEARER = 'Bearer ';

/** A token of the usual form, for which there is no hint. */
const USUAL_TOKEN = /^[A-Za-z0-9][\x21-\x7e]*$/;

/** Reads the form that nearly every request has, at a tenth of the cost of reading every form; undefined for any other. */
function readUsual(headers: IncomingHttpHeaders): Credential | undefined {
  const { authorization } = headers;
  if (authorization?.startsWith(BEARER) !== true) return undefined;
  if (headers['x-api-key'] !== undefined || headers['x-auth-token'] !== undefined) return undefined;
  const token = authorization.slice(BEARER.length);
  return USUAL_TOKEN.test(token) ? { kind: 'token', token } : undefined;
}

/** Reads a credential of any form, right or wrong. */
function readThoroughly(headers: IncomingHttpHeaders): Credential {
  const found = new Set<string>();
  const authorization = headers.authorization?.trim() ?? '';
  if (authorization !== '') {
    const bearer = /^bearer(?: +(.*))?$/i.exec(authorization);
    // Another scheme, such as the Basic of a proxy, is no credential of this server. A value without a scheme lacks its "Bearer".
    if (bearer !== null) found.add(bearer[1] ?? '');
    else if (!authorization.includes(' '))
      return malformed('The Authorization header must read "Bearer <token>".');
  }
  for (const name of ['x-api-key', 'x-auth-token'] as const) {
    const value = headers[name];
    if (value !== undefined) found.add(String(value).trim());
  }

  // A proxy or a client that clears a header may send it empty: beside a credential, that is no second one.
  if (found.size > 1) found.delete('');
  const [token, other] = found;
  if (token === undefined) return { kind: 'none' };
  if (other !== undefined) return malformed('The request carries two different credentials; send one.');
  const hint = hintFor(token);
  return hint === undefined ? { kind: 'token', token } : malformed(hint);
}

/** What is wrong with the form of a token, in words for whoever wrote the client's configuration; undefined when nothing is. */
function hintFor(token: string): string | undefined {
  if (token === '') return 'The credential is empty; put the token after "Bearer".';
  if (/^bearer /i.test(token))
    return 'The word "Bearer" is there twice, or in x-api-key or x-auth-token, which take the token alone; write it once, in Authorization.';
  if (/^\$\{.*\}$|^\$\w+$|^%\w+%$/.test(token)) {
    return 'The client sent the name of a variable instead of the token; set that variable where the client runs, or write the token itself into the client configuration.';
  }
  if (token.startsWith('__encrypted__:'))
    return 'The client sent its encrypted copy of the token, which it should have decrypted first; enter the token in the client again.';
  if (/^(["'`]).*\1$/.test(token) || /^<.*>$/.test(token))
    return 'Remove the quotes or brackets around the token.';
  if (!/^[\x21-\x7e]+$/.test(token))
    return 'The token contains a space or a character that a token cannot contain; copy it again.';
  return undefined;
}

/** Makes a malformed credential. */
function malformed(hint: string): Credential {
  return { kind: 'malformed', hint };
}
