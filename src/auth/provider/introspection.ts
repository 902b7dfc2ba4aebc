/** Asks the provider about opaque tokens (RFC 7662): each once at a time, and not again for a while. */
import { type Ask, isRecord } from './ask.ts';
import type { Claims } from './claims.ts';
import { ProviderUnreachable } from './refusals.ts';

/** Asks about a token; what the provider says of it. Rejects with {@link ProviderUnreachable}. */
export type Introspect = (token: string, asker: Asker) => Promise<Claims>;

/** For whom: a token that is `known` to be good and asked about again, or somebody's that came from a network. */
export type Asker = 'known' | { readonly network: string };

/** What is asked with. */
export interface IntrospectionOptions {
  /** Where. Rejects where that cannot be found out. */
  readonly findUrl: () => Promise<string>;
  readonly client: { readonly id: string; readonly secret: string };
  readonly ask: Ask;
  /** Told why no answer came, at most once in a while. */
  readonly onFailure: (reason: string) => void;
  readonly now: () => number;
}

/**
 * So many are asked about at once that nobody knows, and so many of them for one network; more would have the provider do the work of an
 * attack. Whoever makes tokens up takes no place of others so: tokens that are known have as many places of their own.
 */
const MAX_ASKING = 64;
const MAX_OF_NETWORK = 16;

/** A failure is told again after so long. Milliseconds. */
const TELL_AGAIN_MS = 30_000;

/** A client that is turned away comes back after so long. Seconds. */
const RETRY_SECONDS = 5;

/** Makes what asks. */
export function createIntrospection(options: IntrospectionOptions): Introspect {
  const { findUrl, client, ask, onFailure, now } = options;
  const authorization = `Basic ${Buffer.from(`${encode(client.id)}:${encode(client.secret)}`).toString('base64')}`;
  const takePlace = createPlaces();
  let tellAgainAtMs = -Infinity;
  /** Says why, and gives up. */
  const fail = (reason: string, cause?: unknown): ProviderUnreachable => {
    if (now() >= tellAgainAtMs) {
      tellAgainAtMs = now() + TELL_AGAIN_MS;
      onFailure(reason);
    }
    return new ProviderUnreachable(RETRY_SECONDS, { cause });
  };
  return async (token, asker) => {
    const leavePlace = takePlace(asker);
    if (leavePlace === undefined) throw fail('too many tokens at once');
    try {
      const form = { token, token_type_hint: 'access_token' };
      const { status, body } = await ask(await findUrl(), {
        form,
        headers: { Authorization: authorization },
      });
      // A refusal is of this server's own credential: it says nothing about the token.
      if (status !== 200 || !isRecord(body)) throw fail(`introspection: status ${status}`);
      return body;
    } catch (error) {
      if (error instanceof ProviderUnreachable) throw error;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw fail(`introspection: ${cause instanceof Error ? cause.message : 'no answer'}`, error);
    } finally {
      leavePlace();
    }
  };
}

/** Makes what takes a place for a question, and returns what leaves it; undefined where there is none. */
function createPlaces(): (asker: Asker) => (() => void) | undefined {
  let known = 0;
  let strangers = 0;
  const ofNetworks = new Map<string, number>();
  return (asker) => {
    if (asker === 'known') {
      if (known >= MAX_ASKING) return undefined;
      known += 1;
      return () => void (known -= 1);
    }
    const { network } = asker;
    const others = ofNetworks.get(network) ?? 0;
    if (strangers >= MAX_ASKING || others >= MAX_OF_NETWORK) return undefined;
    strangers += 1;
    ofNetworks.set(network, others + 1);
    return () => {
      strangers -= 1;
      const left = (ofNetworks.get(network) ?? 0) - 1;
      if (left > 0) ofNetworks.set(network, left);
      else ofNetworks.delete(network);
    };
  };
}

/** A part of a Basic credential, encoded as in a form (RFC 6749, section 2.3.1). */
function encode(part: string): string {
  return new URLSearchParams({ part }).toString().slice('part='.length);
}
