/** Client ID Metadata Documents: clients whose id is the URL of a document that describes them, fetched with their first request. */
import { BoundedMap } from '../../bounded-map.ts';
import { OAuthError } from './oauth-error.ts';
import type { FetchDocument, FetchedDocument } from './fetch-document.ts';
import { readableName } from './names.ts';
import type { RedirectPolicy } from './redirect-policy.ts';

/** What is used of a document. */
export interface DocumentFacts {
  readonly name: string;
  /** The host of the document: the only verified fact about the client. */
  readonly host: string;
  readonly redirectUris: readonly string[];
  readonly refreshes: boolean;
}

/** Called before a document is fetched; if it throws, the document is not fetched. */
export type CountReading = (clientId: string) => void;

/** Reads the documents of clients. */
export interface ClientDocuments {
  /** Whether a client id is the URL of a document that would be read. */
  accepts(clientId: string): boolean;
  /** What the document says. Rejects with an {@link OAuthError}, and with what `countReading` throws. */
  read(clientId: string, countReading?: CountReading): Promise<DocumentFacts>;
}

/** What the reader is made from. */
export interface DocumentOptions {
  /** The hosts that the operator allows besides: `host`, `host:port`, or `*` for every one. */
  readonly hosts: readonly string[];
  readonly redirects: RedirectPolicy;
  readonly fetchDocument: FetchDocument;
  /** Told why a document could not be used. */
  readonly onFailure: (host: string, reason: string) => void;
  readonly now?: () => number;
}

/** The hosts of well-known clients, which are always allowed. */
const VENDOR_HOSTS: ReadonlySet<string> = new Set([
  'claude.ai',
  'claude.com',
  'chatgpt.com',
  'vscode.dev',
  'cursor.com',
  'opencode.ai',
]);

/** The bounds of how long a document is used, whatever its `Cache-Control` says. Milliseconds. */
const MIN_FRESH_MS = 5 * 60_000;
const MAX_FRESH_MS = 24 * 60 * 60_000;

/**
 * The pause after a first failure, and the longest one: it doubles with each failure. A failure may soon be over, but not every request
 * may cause another fetch until then. Milliseconds.
 */
const FIRST_FAILURE_MS = 1_000;
const MAX_FAILURE_MS = 30_000;

/** How many documents are remembered, and how many failures, as anybody can name any number of URLs. */
const MAX_DOCUMENTS = 100;

/** How many documents are fetched at once. */
const MAX_READING = 8;

/** The longest client id. */
const MAX_ID_CHARS = 512;

/** A document that was read, and how long it is used. */
interface Read {
  readonly facts: DocumentFacts;
  readonly untilMs: number;
}

/** How often a document could not be used, and until when it is not fetched again. */
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

  /** Whether a client id is the URL of a document on an allowed host. */
  const accepts = (clientId: string): boolean => {
    const url = parseId(clientId);
    return url !== undefined && (VENDOR_HOSTS.has(url.host) || named.has(url.host) || named.has('*'));
  };
  /** Fetches a document; undefined when it cannot be used. */
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
  /** A document that is remembered, is being fetched, or is fetched now; undefined when it cannot be used. */
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

/** A client id as a URL; undefined unless it is written in the one normal form, since ids are compared as texts. */
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

/** The origin of a document, and which redirects it may name. */
interface Place {
  readonly clientId: string;
  readonly host: string;
  readonly redirects: RedirectPolicy;
}

/**
 * Reads a document. Its authentication methods do not matter: every client may do without.
 * @throws when it describes another client, has no redirect that is allowed here, or has no name
 */
function factsOf(value: unknown, { clientId, host, redirects }: Place): DocumentFacts {
  if (typeof value !== 'object' || value === null) throw new Error('it is not a JSON object');
  const members: Readonly<Record<string, unknown>> = { ...value };
  if (members['client_id'] !== clientId) throw new Error('its client_id is not its own URL');
  const listed = Array.isArray(members['redirect_uris']) ? (members['redirect_uris'] as unknown[]) : [];
  const redirectUris = listed.filter(
    (uri): uri is string => typeof uri === 'string' && redirects.allowsDocument(uri, host),
  );
  if (redirectUris.length === 0) throw new Error('none of its redirect_uris is allowed here');
  const name = readableName(members['client_name']);
  // MCP demands it of documents, and the page would say "verified" of nobody.
  if (name === undefined) throw new Error('it has no client_name');
  return { name, host, redirectUris, refreshes: wantsRefresh(members) };
}

/** Whether a client wants refresh tokens: yes, unless it lists its grant types without that one. */
export function wantsRefresh(members: Readonly<Record<string, unknown>>): boolean {
  const grants = members['grant_types'];
  return !Array.isArray(grants) || grants.includes('refresh_token');
}

/** How long a document is used: by its `Cache-Control`, within the bounds. */
function freshnessOf({ headers }: FetchedDocument): number {
  const said = /\bmax-age=(\d{1,9})\b/.exec(headers['cache-control'] ?? '')?.[1];
  return Math.min(Math.max(Number(said ?? 0) * 1000, MIN_FRESH_MS), MAX_FRESH_MS);
}

/** The refusal of a document on a host that is not allowed. */
function notAccepted(): OAuthError {
  return new OAuthError(
    'invalid_client',
    'The client is described by a document on a host that is not allowed here. Whoever runs the server: add the host to OAUTH_CLIENT_HOSTS.',
  );
}

/** The refusal of a document that cannot be fetched, or is not valid. */
function unusable(): OAuthError {
  return new OAuthError(
    'invalid_client',
    'The document that describes the client cannot be used. Try again in half a minute; the log of this server says why.',
  );
}

/** The refusal while too many documents are being fetched. */
function busy(): OAuthError {
  return new OAuthError(
    'temporarily_unavailable',
    'Too many clients are signing in at once. Try again in a moment.',
  );
}
