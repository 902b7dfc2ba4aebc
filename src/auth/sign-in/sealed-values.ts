/**
 * The sealed values of the sign-in: codes, tokens, client ids and the form's ticket. Each carries everything that is known of it, so that
 * nothing is stored, and every process with the same secret can read it.
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
  /** The client: {@link hashClientId} of its id. */
  readonly client: string;
}

/** An authorization request, while the page asks the user. */
export interface TicketClaims {
  readonly client: string;
  readonly clientName: string | undefined;
  /** The host of the client's document; undefined: the client has registered itself, and nobody vouches for its name. */
  readonly clientHost: string | undefined;
  readonly refreshes: boolean;
  readonly redirectUri: string;
  /** Whether the request named the redirect, which the exchange must then repeat (RFC 6749, section 4.1.3). */
  readonly namedRedirect: boolean;
  readonly state: string | undefined;
  readonly challenge: string;
  /** The known scopes that were asked for; undefined: all. */
  readonly scopes: readonly string[] | undefined;
  readonly wantsOffline: boolean;
  readonly resources: readonly string[];
  readonly issuer: string;
  readonly expiresAtMs: number;
  /** The process that made it, by whose clock its times are; undefined in values of older versions. */
  readonly madeBy: string | undefined;
}

/** What codes, access tokens and refresh tokens have in common. */
export interface SignInClaims {
  /** SHA-256 of the token that was pasted: its entry is looked up with every request. */
  readonly digest: string;
  readonly client: string;
  /** Names the sign-in: all its values end together. */
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
  /** The number of refresh tokens of the sign-in before this one. */
  readonly generation: number;
}

/** The claims of each kind of value. */
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

/** The form of a kind of value: its prefix, and its claims in the order in which they are written. */
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
 * A form that changes needs another number in {@link PURPOSE}, so that older values are refused. A new field at the end needs none, if it
 * may be undefined.
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

/** The purpose of the sealing keys; each kind has a key of its own. */
const PURPOSE = 'sign-in 1';

/** The prefix of access tokens. A token of the file may begin with it, too, by chance. */
export const ACCESS_PREFIX = FORMS.access.prefix;

/** A ticket must leave room: the code that is made from it has the same claims and some numbers more. Bytes. */
const MAX_TICKET_BYTES = MAX_SEALED_BYTES - 256;

/** Seals and opens values. */
export interface SealedValues {
  /**
   * Seals claims.
   * @throws {OAuthError} when they are too long, as a part of them comes from the client
   */
  seal<K extends Kind>(kind: K, claims: ClaimsOf[K]): string;
  /** The claims of a value; undefined for a text that is no value of this kind. Whether it has expired is for the caller to check. */
  open<K extends Kind>(kind: K, text: string): ClaimsOf[K] | undefined;
}

/** Makes the sealed values of a server. */
export function createSealedValues(sealer: Sealer): SealedValues {
  return {
    seal(kind, claims) {
      const { prefix, fields } = FORMS[kind];
      const values = fields.map((field) => claims[field]);
      const bytes = Buffer.from(JSON.stringify(values));
      if (bytes.length > (kind === 'ticket' ? MAX_TICKET_BYTES : MAX_SEALED_BYTES))
        throw new OAuthError('invalid_request', 'The parameters are too long in total. Send shorter ones.');
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
