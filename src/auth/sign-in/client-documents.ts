/** Client ID Metadata Documents: clients whose id is the address of a document that says who they are, read when they first come. */
import { BoundedMap } from '../bounded-map.ts';
import { OAuthError } from './oauth-error.ts';
import type { FetchDocument, FetchedDocument } from './fetch-document.ts';
import { readableName } from './names.ts';
import type { RedirectPolicy } from './redirect-policy.ts';

/** What a document says, as far as it matters here. */
export interface DocumentFacts {
  readonly name: string;
  /** Where the document is, which is all that is known for sure. */
  readonly host: string;
  readonly redirectUris: readonly string[];
  readonly refreshes: boolean;
}

/** Told of each document that has to be read for somebody; what it throws keeps that from being done. */
export type CountReading = (clientId: string) => void;

/** The documents of clients. */
export interface ClientDocuments {
  /** Whether a document at this address would be read. */
  accepts(clientId: string): boolean;
  /** What the document says. Rejects with an {@link OAuthError}, and with what `countReading` throws. */
  read(clientId: string, countReading?: CountReading): Promise<DocumentFacts>;
}

/** What documents are read with. */
export interface DocumentOptions {
  /** More hosts, as the operator has them: `host`, `host:port`, or `*` for every one. */
  readonly hosts: readonly string[];
  readonly redirects: RedirectPolicy;
  readonly fetchDocument: FetchDocument;
  /** Told why a document could not be used. */
  readonly onFailure: (host: string, reason: string) => void;
  readonly now?: () => number;
}

/** The hosts of the clients that there are. */
const VENDOR_HOSTS: ReadonlySet<string> = new Set([
  'claude.ai',
  'claude.com',
  'chatgpt.com',
  'vscode.dev',
  'cursor.com',
  'opencode.ai',
]);

/** So long a document counts, whatever it says of itself. Milliseconds. */
const MIN_FRESH_MS = 5 * 60_000;
const MAX_FRESH_MS = 24 * 60 * 60_000;

/**
 * A failure may be over in a moment, and must not be asked about with every request until then: so long after the first, then twice as
 * long each time, up to the most. Milliseconds.
 */
const FIRST_FAILURE_MS = 1_000;
const MAX_FAILURE_MS = 30_000;

/** So many documents are known, those used last; and beside them so many that cannot be used, which anybody can name any number of. */
const MAX_DOCUMENTS = 100;

/** So many are read at once. */
const MAX_READING = 8;

/** A longer id is none. */
const MAX_ID_CHARS = 512;

/** What a document said, and how long that counts. */
interface Read {
  readonly facts: DocumentFacts;
  readonly untilMs: number;
}

/** How often a document could not be used, and until when it is not asked for again. */
interface Failed {
  readonly times: number;
  readonly untilMs: number;
}

/** Makes the reader of documents, with its memory of them. */
export function createClientDocuments(options: DocumentOptions): ClientDocuments {
  const { hosts, redirects, fetchDocument, onFailure, now = Date.now } = options;
  const named = new Set(hosts);
  const known = new BoundedMap<string, Read>(MAX_DOCUMENTS);
  const failed = new BoundedMap<string, Failed>(MAX_DOCUMENTS);
  const reading = new Map<string, Promise<DocumentFacts | undefined>>();

  const accepts = (clientId: string): boolean => {
    const url = parseId(clientId);
    return url !== undefined && (VENDOR_HOSTS.has(url.host) || named.has(url.host) || named.has('*'));
  };
  const readAnew = async (clientId: string): Promise<DocumentFacts | undefined> => {
    const url = new URL(clientId);
    try {
      const document = await fetchDocument(url, { mayBeNear: named.has(url.host) });
      const facts = factsOf(document.value, { clientId, host: url.host, redirects });
      known.set(clientId, { facts, untilMs: now() + freshnessOf(document) });
      failed.delete(clientId);
      return facts;
    } catch (error) {
      onFailure(url.host, error instanceof Error ? error.message : 'unknown error');
      const { times } = failed.get(clientId) ?? { times: 0 };
      const pauseMs = Math.min(FIRST_FAILURE_MS * 2 ** times, MAX_FAILURE_MS);
      failed.set(clientId, { times: times + 1, untilMs: now() + pauseMs });
      return undefined;
    }
  };
  /** What is known, or is being read, or is read now. */
  const readOnce = async (
    clientId: string,
    countReading: CountReading,
  ): Promise<DocumentFacts | undefined> => {
    const remembered = known.get(clientId);
    if (remembered !== undefined && remembered.untilMs > now()) {
      // What was used last is forgotten last.
      known.set(clientId, remembered);
      return remembered.facts;
    }
    if ((failed.get(clientId)?.untilMs ?? -Infinity) > now()) return undefined;
    let underWay = reading.get(clientId);
    if (underWay === undefined) {
      if (reading.size >= MAX_READING) throw busy();
      countReading(clientId);
      underWay = readAnew(clientId).finally(() => reading.delete(clientId));
      reading.set(clientId, underWay);
    }
    return underWay;
  };
  return {
    accepts,
    async read(clientId, countReading = () => undefined) {
      if (!accepts(clientId)) throw notAccepted();
      const facts = await readOnce(clientId, countReading);
      if (facts === undefined) throw unusable();
      return facts;
    },
  };
}

/** The address that an id is, in the one form that there is of it: what is compared must not have two spellings. */
function parseId(clientId: string): URL | undefined {
  if (clientId.length > MAX_ID_CHARS || !URL.canParse(clientId)) return undefined;
  const url = new URL(clientId);
  const isPlain = url.protocol === 'https:' && url.username === '' && url.password === '';
  return isPlain &&
    url.pathname !== '/' &&
    url.hash === '' &&
    url.href === clientId &&
    !clientId.endsWith('#')
    ? url
    : undefined;
}

/** Where a document stands. */
interface Place {
  readonly clientId: string;
  readonly host: string;
  readonly redirects: RedirectPolicy;
}

/**
 * What a document says. How the client authenticates does not matter: whatever else it can do, it can do without.
 * @throws when it is not about this client, holds no address that it may use, or does not name the client
 */
function factsOf(value: unknown, { clientId, host, redirects }: Place): DocumentFacts {
  if (typeof value !== 'object' || value === null) throw new Error('not a JSON object');
  const members: Readonly<Record<string, unknown>> = { ...value };
  if (members['client_id'] !== clientId) throw new Error('its client_id is not its address');
  const listed = Array.isArray(members['redirect_uris']) ? (members['redirect_uris'] as unknown[]) : [];
  const redirectUris = listed.filter(
    (uri): uri is string => typeof uri === 'string' && redirects.allowsDocument(uri, host),
  );
  if (redirectUris.length === 0) throw new Error('it has no redirect that is allowed here');
  const name = readableName(members['client_name']);
  // MCP demands it of documents, and the page would say "verified" of nobody.
  if (name === undefined) throw new Error('it has no client_name');
  return { name, host, redirectUris, refreshes: wantsRefresh(members) };
}

/** Whether a client wants refresh tokens: unless it lists its grants without that one. */
export function wantsRefresh(members: Readonly<Record<string, unknown>>): boolean {
  const grants = members['grant_types'];
  return !Array.isArray(grants) || grants.includes('refresh_token');
}

/** How long a document counts, by what it says of itself and within bounds. */
function freshnessOf({ headers }: FetchedDocument): number {
  const said = /\bmax-age=(\d{1,9})\b/.exec(headers['cache-control'] ?? '')?.[1];
  return Math.min(Math.max(Number(said ?? 0) * 1000, MIN_FRESH_MS), MAX_FRESH_MS);
}

/** The id is an address from which nothing is read. */
function notAccepted(): OAuthError {
  return new OAuthError(
    'invalid_client',
    'The client is described by a document on a host that is not allowed here. Whoever runs the server: add the host to OAUTH_CLIENT_HOSTS.',
  );
}

/** The document cannot be had, or does not say what it must. */
function unusable(): OAuthError {
  return new OAuthError(
    'invalid_client',
    'The document that describes the client cannot be used. Try again in half a minute; the log of this server says why.',
  );
}

/** Too many documents are being read. */
function busy(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'Many clients are coming at once. Try again in a moment.');
}
