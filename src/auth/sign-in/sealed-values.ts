/**
 * What signing in hands out: codes, tokens, client ids and the form's ticket. Each is a sealed value and carries all that is known of
 * it, so that nothing is stored, and every process with the same secret knows it again.
 */
import { MAX_SEALED_BYTES, type Sealer } from '../../sealed.ts';
import { OAuthError } from './oauth-error.ts';

/** A client that has registered (RFC 7591). */
export interface ClientClaims {
  readonly redirectUris: readonly string[];
  readonly name: string | undefined;
  readonly hasSecret: boolean;
  readonly refreshes: boolean;
  /** Milliseconds since the epoch, as all times here. */
  readonly issuedAtMs: number;
}

/** The secret of a client. */
export interface SecretClaims {
  /** Which client's: {@link hashClientId} of its id. */
  readonly client: string;
}

/** What a client asked for, and the page shows. */
export interface TicketClaims {
  readonly client: string;
  readonly clientName: string | undefined;
  /** The host of the client's document; absent where nobody vouches for the name. */
  readonly clientHost: string | undefined;
  readonly refreshes: boolean;
  readonly redirectUri: string;
  /** Whether the request named the redirect, which the exchange must then repeat (RFC 6749, section 4.1.3). */
  readonly namedRedirect: boolean;
  readonly state: string | undefined;
  readonly challenge: string;
  /** The scopes asked for, of those that there are; absent where that means everything. */
  readonly scopes: readonly string[] | undefined;
  readonly wantsOffline: boolean;
  readonly resources: readonly string[];
  readonly issuer: string;
  readonly expiresAtMs: number;
  /** The process that has made it, by whose clock its times are; absent in one of a version that did not say so. */
  readonly madeBy: string | undefined;
}

/** What every value that comes of a sign-in says. */
export interface SignInClaims {
  /** SHA-256 of the token that was pasted: the entry that decides, at every request. */
  readonly digest: string;
  readonly client: string;
  /** Names the sign-in: whatever comes of it ends together. */
  readonly family: string;
  readonly scopes: readonly string[] | undefined;
  readonly wantsOffline: boolean;
  readonly issuer: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
}

/** An authorization code. */
export interface CodeClaims extends SignInClaims {
  readonly refreshes: boolean;
  readonly redirectUri: string;
  readonly namedRedirect: boolean;
  readonly challenge: string;
  readonly resources: readonly string[];
  /** As in a ticket. */
  readonly madeBy: string | undefined;
}

/** An access token. */
export type AccessClaims = SignInClaims;

/** A refresh token. */
export interface RefreshClaims extends SignInClaims {
  /** How many were there before it. */
  readonly generation: number;
}

/** What each kind of value says. */
export interface ClaimsOf {
  readonly access: AccessClaims;
  readonly refresh: RefreshClaims;
  readonly code: CodeClaims;
  readonly client: ClientClaims;
  readonly secret: SecretClaims;
  readonly ticket: TicketClaims;
}

/** The kinds of values. */
export type Kind = keyof ClaimsOf;

/** What a kind of value looks like: how it begins, and its claims in the order in which they are written. */
interface Form<Claims> {
  readonly prefix: string;
  readonly fields: readonly (keyof Claims & string)[];
}

const SIGN_IN_FIELDS = [
  'digest',
  'client',
  'family',
  'scopes',
  'wantsOffline',
  'issuer',
  'issuedAtMs',
  'expiresAtMs',
] as const;

/**
 * A form that changes needs another number in {@link PURPOSE}: what was sealed before is then nothing to it. A field more at the end needs
 * none, if it may be absent.
 */
const FORMS: { readonly [K in Kind]: Form<ClaimsOf[K]> } = {
  access: { prefix: 'mcp_at_', fields: SIGN_IN_FIELDS },
  refresh: { prefix: 'mcp_rt_', fields: [...SIGN_IN_FIELDS, 'generation'] },
  code: {
    prefix: 'mcp_ac_',
    fields: [
      ...SIGN_IN_FIELDS,
      'refreshes',
      'redirectUri',
      'namedRedirect',
      'challenge',
      'resources',
      'madeBy',
    ],
  },
  client: { prefix: 'mcp_ci_', fields: ['redirectUris', 'name', 'hasSecret', 'refreshes', 'issuedAtMs'] },
  secret: { prefix: 'mcp_cs_', fields: ['client'] },
  ticket: {
    prefix: 'mcp_rq_',
    fields: [
      'client',
      'clientName',
      'clientHost',
      'refreshes',
      'redirectUri',
      'namedRedirect',
      'state',
      'challenge',
      'scopes',
      'wantsOffline',
      'resources',
      'issuer',
      'expiresAtMs',
      'madeBy',
    ],
  },
};

/** What keys are made for, a kind each. */
const PURPOSE = 'sign-in 1';

/** How an access token begins; a token of the file may begin so too, by chance. */
export const ACCESS_PREFIX = FORMS.access.prefix;

/** What comes of a ticket says the same and some numbers more, and must find room as well. Bytes. */
const MAX_TICKET_BYTES = MAX_SEALED_BYTES - 256;

/** Makes values and reads them. */
export interface SealedValues {
  /**
   * Makes a value of claims.
   * @throws {OAuthError} when they are too long: a part of them is what a client has sent
   */
  seal<K extends Kind>(kind: K, claims: ClaimsOf[K]): string;
  /** What a value says; undefined for whatever has not been made here as this kind. How old it may be, the caller decides. */
  open<K extends Kind>(kind: K, text: string): ClaimsOf[K] | undefined;
}

/** Makes the values of a server's secrets. */
export function createSealedValues(sealer: Sealer): SealedValues {
  return {
    seal(kind, claims) {
      const { prefix, fields } = FORMS[kind];
      const values = fields.map((field) => claims[field]);
      const bytes = Buffer.from(JSON.stringify(values));
      if (bytes.length > (kind === 'ticket' ? MAX_TICKET_BYTES : MAX_SEALED_BYTES))
        throw new OAuthError('invalid_request', 'The parameters are too long together. Send shorter ones.');
      return prefix + sealer.seal(`${PURPOSE} ${kind}`, bytes);
    },
    open<K extends Kind>(kind: K, text: string) {
      const { prefix, fields } = FORMS[kind];
      if (!text.startsWith(prefix)) return undefined;
      const bytes = sealer.open(`${PURPOSE} ${kind}`, text.slice(prefix.length));
      if (bytes === undefined) return undefined;
      const values: unknown = JSON.parse(bytes.toString());
      if (!Array.isArray(values)) return undefined;
      const claims = Object.fromEntries(
        fields.map((field, index) => [field, (values[index] ?? undefined) as unknown]),
      );
      // oxlint-disable-next-line no-unsafe-type-assertion -- nobody else can seal, and seal() has written these fields in this order
      return claims as unknown as ClaimsOf[K];
    },
  };
}
