/** Sign-in with a token of the file: an authorization server for exactly that, made of parts that know no HTTP framework. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createSealer } from '../../sealed.ts';
import { type Addresses, createOwnAddressOf } from '../own-address.ts';
import type { TokenVerifier } from '../verifier.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { createClientDocuments } from './client-documents.ts';
import { type CallingClient, type Clients, createClients } from './clients.ts';
import { withDerivedTokens } from './derived-tokens.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { createFamilies, type Families } from './families.ts';
import { createFetchDocument, type FetchDocument } from './fetch-document.ts';
import { createJudge } from './judge.ts';
import { createRedirectPolicy } from './redirect-policy.ts';
import { registerClient } from './registration.ts';
import { createSealedValues } from './sealed-values.ts';

/** What the authorization server is made from. */
export interface SignInParts {
  readonly tokens: TokenVerifier;
  readonly lookUp: NonNullable<TokenVerifier['lookUp']>;
  readonly secrets: readonly string[];
  readonly addresses: Addresses;
  /** Every scope that something on this server requires. */
  readonly scopes: readonly string[];
  readonly clientHosts: readonly string[];
  readonly redirectUris: readonly string[];
  readonly accessMs: number;
  readonly refreshMs: number;
  readonly canStepUp: boolean;
  readonly onDocumentFailure: (host: string, reason: string) => void;
  readonly now?: () => number;
  readonly fetchDocument?: FetchDocument;
}

/** An authorization server. */
export interface SignIn extends Authorization, Exchange {
  /** Verifies the tokens of the file, and the access tokens of sign-ins. */
  readonly verifier: TokenVerifier;
  readonly issuerOf: (headers: IncomingHttpHeaders) => string;
  readonly scopes: readonly string[];
  /** Whether this server issues refresh tokens. */
  readonly canRefresh: boolean;
  readonly identify: Clients['identify'];
  /** Whether a secret is the client's. */
  isSecretOf(secret: string, client: CallingClient): boolean;
  /** Registers a client, and returns the response to it. */
  register(metadata: unknown): object;
  /** Tells which sign-ins end here, and notes those that have ended in other processes. */
  readonly ends: Pick<Families, 'noteEnded' | 'onEnd'>;
  /** Whether a text is a token that a sign-in has issued: nobody can sign in with one. */
  isDerived(token: string): boolean;
}

/** Builds the authorization server. */
export function createSignIn(parts: SignInParts): SignIn {
  const { tokens, lookUp, scopes, now = Date.now, fetchDocument = createFetchDocument() } = parts;
  const values = createSealedValues(createSealer(parts.secrets));
  const redirects = createRedirectPolicy(parts.redirectUris);
  const documents = createClientDocuments({
    hosts: parts.clientHosts,
    redirects,
    fetchDocument,
    onFailure: parts.onDocumentFailure,
    now,
  });
  const canRefresh = parts.refreshMs > 0;
  const clients = createClients({ values, documents, canRefresh });
  const families = createFamilies(now);
  const issuerOf = createOwnAddressOf(parts.addresses);
  const judge = createJudge({ lookUp, families, now });
  const { accessMs, refreshMs } = parts;
  const self = randomUUID();
  return {
    ...createAuthorization({ clients, values, redirects, scopes, now, self }),
    ...createExchange({ values, families, judge, scopes, accessMs, refreshMs, now, self }),
    verifier: withDerivedTokens({ tokens, values, judge, issuerOf, canStepUp: parts.canStepUp }),
    issuerOf,
    scopes,
    canRefresh,
    identify: (clientId) => clients.identify(clientId),
    isSecretOf: (secret, { hash }) => values.open('secret', secret)?.client === hash,
    ends: families,
    register: (metadata) => registerClient(metadata, { values, redirects, canRefresh, now }),
    isDerived: (token) =>
      values.open('access', token) !== undefined || values.open('refresh', token) !== undefined,
  };
}
