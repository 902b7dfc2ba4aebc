/** Who asks for a sign-in: clients that registered themselves, and clients whose id is the address of a document about them. */
import { hash } from 'node:crypto';
import type { ClientDocuments, CountReading } from './client-documents.ts';
import { OAuthError } from './oauth-error.ts';
import type { SealedValues } from './sealed-values.ts';

/** A client, as far as it matters here. */
export interface Client {
  /** Names it in what is sealed: {@link hashClientId}. */
  readonly hash: string;
  readonly name: string | undefined;
  /** The host that its document is at; absent where nobody vouches for the name. */
  readonly host: string | undefined;
  readonly redirectUris: readonly string[];
  /** Whether it gets refresh tokens: it wants them, and there are some. */
  readonly refreshes: boolean;
}

/** A client that comes to an endpoint without a browser. */
export interface CallingClient {
  readonly hash: string;
  readonly hasSecret: boolean;
}

/** Finds clients by their ids. */
export interface Clients {
  /** The client that wants to sign a user in. Rejects with an {@link OAuthError}, and with what `countReading` throws. */
  find(clientId: string, countReading?: CountReading): Promise<Client>;
  /**
   * The client that comes with a code or a token. Its document is not read again: what it had to say is in the code.
   * @throws {OAuthError} when there is no such client
   */
  identify(clientId: string): CallingClient;
}

/** What clients are found by. */
export interface ClientParts {
  readonly values: SealedValues;
  readonly documents: ClientDocuments;
  /** Whether there are refresh tokens. */
  readonly canRefresh: boolean;
}

/** Finds clients that registered by what is sealed in their ids, and the others by their documents. */
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

/** Whether an id is the address of a document. */
function isDocumentId(clientId: string): boolean {
  return /^https?:/i.test(clientId);
}

/** What names a client in what is sealed: short, and as good as the id. */
export function hashClientId(clientId: string): string {
  return hash('sha256', clientId, 'base64url').slice(0, 22);
}

/** An id that this server has not given, or not with the secret that it has now: clients then register again. */
function unknownClient(): OAuthError {
  return new OAuthError(
    'invalid_client',
    'This server does not know the client. Connect anew from the client, which registers again then.',
    {
      isGuess: true,
    },
  );
}
