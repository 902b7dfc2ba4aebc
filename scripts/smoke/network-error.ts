/** Explains why no answer came, to whoever has to mend it. */
import { Unreachable } from './outcome.ts';

const CERTIFICATE =
  'Clients refuse this certificate as well. Have the host issue a certificate of a public authority for this name; for a private ' +
  'authority set NODE_EXTRA_CA_CERTS to its file, here and for every client.';
const DNS = 'Check the spelling. The name of a new deployment or a new domain may take minutes to resolve.';
const DOWN =
  'Check the host and the port, and that the server runs (its log ends with "listening"). If others are to reach it, it must listen on 0.0.0.0, not on 127.0.0.1.';

/** Problem and advice, by error code. */
const CAUSES: Readonly<Record<string, readonly [problem: string, advice: string]>> = {
  ENOTFOUND: ['The host name is unknown (DNS).', DNS],
  EAI_AGAIN: ['The host name could not be looked up (DNS).', `Check this machine's network. ${DNS}`],
  ECONNREFUSED: ['The connection was refused: nothing listens there.', DOWN],
  EHOSTUNREACH: ['There is no route to this host.', "Check this machine's network and the address."],
  ENETUNREACH: ['There is no route to this network.', "Check this machine's network and the address."],
  ECONNRESET: ['The connection was cut before an answer came.', DOWN],
  UND_ERR_SOCKET: ['The connection was cut before an answer came.', DOWN],
  CERT_HAS_EXPIRED: ['TLS error: the certificate has expired.', CERTIFICATE],
  CERT_NOT_YET_VALID: ['TLS error: the certificate is not valid yet.', "Check this machine's clock."],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['TLS error: the certificate is self-signed.', CERTIFICATE],
  SELF_SIGNED_CERT_IN_CHAIN: ['TLS error: the certificate ends in an unknown authority.', CERTIFICATE],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'TLS error: the certificate chain is incomplete.',
    'Have the host send the intermediate certificates too (fullchain.pem).',
  ],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['TLS error: this machine does not know the authority.', CERTIFICATE],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'TLS error: the certificate is for another host name.',
    'Use the name it was made for, or have the host issue one for this name.',
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: [
    'TLS error: the server there does not speak TLS.',
    'Use http:// on your own machine; elsewhere put the server behind a proxy that has a certificate.',
  ],
};

/** Explains an error of `fetch`; `timeoutMs` is the timeout that the request had. */
export function explainNetworkError(error: unknown, timeoutMs: number): Unreachable {
  const code = codeOf(error);
  const [problem, advice] = CAUSES[code] ?? [`No answer came (${code}).`, DOWN];
  if (isTimeout(error))
    return new Unreachable(
      `No answer came within ${timeoutMs / 1000} s.`,
      `${DOWN} A firewall that drops packets, or a sleeping deployment, looks like this too; try again, or --timeout 60.`,
    );
  return new Unreachable(problem, advice, { cause: error });
}

/** Whether an error is a time-out, whatever its class: an Error, a DOMException or one of undici's. */
export function isTimeout(error: unknown): boolean {
  return fieldOf(error, 'name') === 'TimeoutError' || /TIMEOUT|ETIMEDOUT/.test(codeOf(error));
}

/** The innermost code of an error: fetch wraps the error that has the useful one. */
function codeOf(error: unknown): string {
  const cause = fieldOf(error, 'cause');
  if (cause !== undefined) return codeOf(cause);
  // When several addresses failed, the first error tells enough.
  const errors = fieldOf(error, 'errors');
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return String(fieldOf(error, 'code') ?? fieldOf(error, 'message') ?? error);
}

/** A field of a value, if the value is an object. */
function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
