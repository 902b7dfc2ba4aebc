/**
 * Fetches a client's document. Whoever opens the sign-in page chooses the URL, so that this must not become a way into the server's own network
 * (SSRF): https only, no redirect, the address checked when the connection is made, little time and few bytes.
 */
import { type LookupAddress, type LookupAllOptions, lookup as lookUpName } from 'node:dns';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { createAddressGuard } from './address-guard.ts';

/** A document as it was received. */
export interface FetchedDocument {
  readonly value: unknown;
  readonly headers: IncomingHttpHeaders;
}

/** Fetches the document at a URL. Rejects with a reason that goes into the log and to nobody else. */
export type FetchDocument = (url: URL, options: { readonly mayBeNear: boolean }) => Promise<FetchedDocument>;

/** The default deadline for everything together. Milliseconds. */
export const DEADLINE_MS = 5_000;

/** The largest document: the draft says 5 KiB, and most have a few hundred bytes. */
const MAX_BYTES = 5 * 1024;

/** How documents are fetched. */
export interface FetchDocumentOptions {
  /** The certificate authorities that are trusted, as PEM. Default: those of Node.js. */
  readonly ca?: string;
  /** The deadline for everything together. Milliseconds. */
  readonly deadlineMs?: number;
}

/** Makes the function that fetches documents. `mayBeNear`: the operator has named this very host, which may then have any address. */
export function createFetchDocument({
  ca,
  deadlineMs = DEADLINE_MS,
}: FetchDocumentOptions = {}): FetchDocument {
  const isOpen = createAddressGuard();
  const lookUpOpen = createOpenLookUp();
  return async (url, { mayBeNear }) => {
    const bare = url.hostname.replace(/^\[(.*)\]$/, '$1');
    // A literal address is checked here, as nothing is looked up for it.
    if (!mayBeNear && isIP(bare) !== 0 && !isOpen(bare)) throw new Error('its host is not a public address');
    const response = await ask(url, {
      signal: AbortSignal.timeout(deadlineMs),
      ...(ca !== undefined && { ca }),
      ...(!mayBeNear && { lookup: lookUpOpen }),
    });
    return { value: JSON.parse(await readText(response)) as unknown, headers: response.headers };
  };
}

/** Looks up all addresses of a name. */
export type LookUpAll = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Makes a DNS look-up that runs when the connection is made, and returns only addresses of the open internet. The address that was checked is the one
 * that is connected to, whatever the name leads to a moment later.
 */
export function createOpenLookUp(lookUp: LookUpAll = lookUpName): LookupFunction {
  const isOpen = createAddressGuard();
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const allowed = addresses.filter(({ address }) => isOpen(address));
      const [first] = allowed;
      if (first === undefined) return callback(new Error('its host is not a public address'), '');
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family);
    });
  };
}

/** Sends the request, and returns the response when it is one that can be a document. */
function ask(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request(
      url,
      {
        // No connection is kept: the next document comes from another host.
        agent: false,
        headers: { Accept: 'application/json', 'Accept-Encoding': 'identity', 'User-Agent': 'mcp-sign-in' },
        ...options,
      },
      (response) => {
        const { statusCode, headers } = response;
        if (statusCode === 200 && /^application\/([\w.-]+\+)?json\b/i.test(headers['content-type'] ?? ''))
          return resolve(response);
        response.destroy();
        return reject(new Error(statusCode === 200 ? 'not JSON' : `status ${statusCode}`));
      },
    );
    asking.on('error', reject);
    asking.end();
  });
}

/** The text of a response, if it is not too long. */
async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) {
      response.destroy();
      throw new Error(`larger than ${MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}
