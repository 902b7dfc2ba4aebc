/** The parameters of a request to a sign-in endpoint: each may be there once, and an empty one counts as absent (RFC 6749, section 3.1). */
import { OAuthError } from './oauth-error.ts';

/** The parameters of a request. */
export interface Parameters {
  /**
   * The value of a parameter; undefined when it is absent or empty.
   * @throws {OAuthError} when it is there twice: two programs that handle the request could each use another one
   */
  get(name: string): string | undefined;
  /**
   * Refuses a request in which a parameter other than `resource` is there twice.
   * @throws {OAuthError}
   */
  requireOnce(): void;
  /** All values of the one parameter that may be there several times (RFC 8707, section 2). */
  resources(): readonly string[];
  /** The names of the parameters besides the known ones. */
  others(known: readonly string[]): readonly string[];
}

/** The parameter that names what a token is for (RFC 8707). */
const RESOURCE = 'resource';

/** Reads parameters. */
export function readParameters(search: URLSearchParams): Parameters {
  const requireOnce = (name: string): void => {
    if (name !== RESOURCE && search.getAll(name).length > 1)
      throw new OAuthError(
        'invalid_request',
        'A parameter was sent more than once. Send each parameter once.',
      );
  };
  return {
    get(name) {
      requireOnce(name);
      const value = search.get(name);
      return value === null || value === '' ? undefined : value;
    },
    requireOnce() {
      for (const name of new Set(search.keys())) requireOnce(name);
    },
    resources: () => search.getAll(RESOURCE).filter((value) => value !== ''),
    others: (known) => [...search.keys()].filter((name) => !known.includes(name)),
  };
}

/**
 * The value of a parameter that must be there.
 * @throws {OAuthError} when it is not
 */
export function requireParameter(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw new OAuthError('invalid_request', `Send the parameter ${name}.`);
  return value;
}
