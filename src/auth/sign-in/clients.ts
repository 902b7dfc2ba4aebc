/** The clients of sign-ins: those that have registered (RFC 7591), and those whose id is the URL of a document that describes them. */
import { hash } from 'node:crypto';
import type { ClientDocuments, CountReading } from './client-documents.ts';
import { OAuthError } from './oauth-error.ts';
import type { SealedValues } from './sealed-values.ts';

/** What is used of a client. */
export interface Client {
  /** Names it in sealed values: {@link hashClientId} of its id. */
  readonly hash: string;
  readonly name: string | undefined;
  /** The host of its document; undefined: it has registered itself, and nobody vouches for its name. */
  readonly host: string | undefined;
  readonly redirectUris: readonly string[];
  /** Whether it gets refresh tokens: it wants them, and this server issues them. */
  readonly refreshes: boolean;
}

/** A client that calls an endpoint itself, without the user's browser. */
export interface CallingClient {
  readonly hash: string;
  readonly hasSecret: boolean;
}

/** Finds clients by their ids. */
export interface Clients {
  /** Finds the client of an authorization request. Rejects with an {@link OAuthError}, and with what `countReading` throws. */
  find(clientId: string, countReading?: CountReading): Promise<Client>;
  /**
   * Finds the client that presents a code or a token. Its document is not fetched again: the code holds what is used of it.
   * @throws {OAuthError} when there is no such client
   */
  identify(clientId: string): CallingClient;
}

/** What clients are found with. */
export interface ClientParts {
  readonly values: SealedValues;
  readonly documents: ClientDocuments;
  /** Whether this server issues refresh tokens. */
  readonly canRefresh: boolean;
}

/** Finds clients: those that have registered by the claims that are sealed in their ids, and others by their documents. */
export function createClients({ values, documents, canRefresh }: ClientParts): Clients {
  return {
    async find(clientId, countReading) {
      if (isDocumentId(clientId)) {
        const facts = await documents.read(clientId, countReading);
        return { hash: hashClientId(clientId), ...facts, refreshes: facts.refreshes && canRefresh };
      }
      const claims = values.open('client', clientId);
      if (claims === undefined) throw unknownClient();
      const { name, redirectUris } = claims;
      const refreshes = claims.refreshes && canRefresh;
      return { hash: hashClientId(clientId), name, host: undefined, redirectUris, refreshes };
    },
    identify(clientId) {
      if (isDocumentId(clientId) && documents.accepts(clientId))
        return { hash: hashClientId(clientId), hasSecret: false };
      const claims = values.open('client', clientId);
      if (claims === undefined) throw unknownClient();
      return { hash: hashClientId(clientId), hasSecret: claims.hasSecret };
    },
  };
}

/** Whether an id is the URL of a document. */
function isDocumentId(clientId: string): boolean {
  return /^https?:/i.test(clientId);
}

/** Names a client in sealed values: shorter than its id, and as unique. */
export function hashClientId(clientId: string): string {
  return hash('sha256', clientId, 'base64url').slice(0, 22);
}

/** The refusal of an id that this server has not issued, or has sealed with a secret that it has no more. Clients then register again. */
function unknownClient(): OAuthError {
  return new OAuthError(
    'invalid_client',
    'This server does not know the client. Connect again from the client, so that it registers again.',
    {
      isGuess: true,
    },
  );
}
