/** Asks the provider about opaque tokens by introspection (RFC 7662), about a bounded number of them at once. */
import { type Ask, isRecord } from './ask.ts';
import type { Claims } from './claims.ts';
import { ProviderUnreachable } from './refusals.ts';

/** Asks about a token, and returns what the provider says of it. Rejects with {@link ProviderUnreachable}. */
export type Introspect = (token: string, asker: Asker) => Promise<Claims>;

/** Who asks: this server, again, about a token that is `known` to be active, or a request that came from a network. */
export type Asker = 'known' | { readonly network: string };

/** What the introspection is made from. */
export interface IntrospectionOptions {
  /** Finds the URL of the endpoint. Rejects when it cannot be found. */
  readonly findUrl: () => Promise<string>;
  readonly client: { readonly id: string; readonly secret: string };
  readonly ask: Ask;
  /** Told why a question has failed, at most every half minute. */
  readonly onFailure: (reason: string) => void;
  readonly now: () => number;
}

/**
 * How many unknown tokens are asked about at once, and how many of them for one network: with more, the provider would do the work of an attack.
 * Known tokens have as many places of their own, so that whoever makes tokens up takes no place of theirs.
 */
const MAX_ASKING = 64;
const MAX_OF_NETWORK = 16;

/** The pause between two reports of a failure. Milliseconds. */
const TELL_AGAIN_MS = 30_000;

/** When a client that was turned away may try again. Seconds. */
const RETRY_SECONDS = 5;

/** Makes the introspection. */
export function createIntrospection(options: IntrospectionOptions): Introspect {
  const { findUrl, client, ask, onFailure, now } = options;
  const authorization = `Basic ${Buffer.from(`${encode(client.id)}:${encode(client.secret)}`).toString('base64')}`;
  const takePlace = createPlaces();
  let tellAgainAtMs = -Infinity;
  /** Reports a failure, unless that was done a moment ago, and makes the error to throw. */
  const fail = (reason: string, cause?: unknown): ProviderUnreachable => {
    if (now() >= tellAgainAtMs) {
      tellAgainAtMs = now() + TELL_AGAIN_MS;
      onFailure(reason);
    }
    return new ProviderUnreachable(RETRY_SECONDS, { cause });
  };
  return async (token, asker) => {
    const leavePlace = takePlace(asker);
    if (leavePlace === undefined) throw fail('too many tokens are being introspected at once');
    try {
      const form = { token, token_type_hint: 'access_token' };
      const { status, body } = await ask(await findUrl(), {
        form,
        headers: { Authorization: authorization },
      });
      // A refusal is about the credential of this server, and says nothing about the token.
      if (status !== 200 || !isRecord(body)) throw fail(`introspection: status ${status}`);
      // Without this member (RFC 7662, section 2.2) it is the answer of something else, and says nothing about the token either.
      if (typeof body['active'] !== 'boolean') throw fail('introspection: an answer without active');
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

/** Makes the function that takes a place for a question. It returns the function that frees the place; undefined when no place is free. */
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
