/** Bounds the work that a body makes for the only thread: the size of the whole, and of the parts that are examined value by value. */
import { INVALID_PARAMS, INVALID_REQUEST } from '@modelcontextprotocol/server';
import { HttpError } from '../errors.ts';

/** The most values that a body may have. */
const MAX_VALUES = 100_000;
/** The most names of members. They cost more than values: each object with other names is a new kind of object to the engine. */
const MAX_NAMES = 20_000;

/** The most that a `_meta` may have, and what a client says of itself: the SDK examines each value, and sessions keep it. */
const MAX_PART_VALUES = 1_000;
const MAX_PART_CHARACTERS = 64 * 1024;

/** The most resources that one subscription may name, and the longest URI of each: they are kept as long as the client listens. */
const MAX_RESOURCES = 1_000;
const MAX_URI_CHARACTERS = 2_048;

const [QUOTE, COMMA, COLON, BRACKET, BACKSLASH, BRACE] = Buffer.from('",:[\\{');

/**
 * Counts the values and names in the bytes of a JSON text, before it is parsed.
 * @throws {HttpError} 400 when there are too many
 */
export function requireModestStructure(bytes: Uint8Array): void {
  // So few bytes cannot have more: a value takes at least two, with its comma, and a name five, with its value.
  if (bytes.length < 2 * MAX_VALUES && bytes.length < 5 * MAX_NAMES) return;
  let values = 1;
  let names = 0;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (byte === QUOTE) index = endOfText(bytes, index);
    else if (byte === COLON) names += 1;
    else if (byte === COMMA || byte === BRACKET || byte === BRACE) values += 1;
  }
  if (values > MAX_VALUES) throw tooMuch(`more than ${MAX_VALUES} values`);
  if (names > MAX_NAMES) throw tooMuch(`more than ${MAX_NAMES} named values`);
}

/** The index of the closing quotation mark of the string that begins at `start`. */
function endOfText(bytes: Uint8Array, start: number): number {
  let index = start + 1;
  while (index < bytes.length && bytes[index] !== QUOTE) index += bytes[index] === BACKSLASH ? 2 : 1;
  return index;
}

/** The refusal of a body that would take too long to parse. */
function tooMuch(what: string): HttpError {
  return new HttpError(400, 'body_too_complex', `The body must not hold ${what}.`, {
    rpcCode: INVALID_REQUEST,
  });
}

/**
 * Bounds those parts of JSON-RPC messages that are small in every real message.
 * @throws {HttpError} 400 when one of them is too large
 */
export function requireSmallParts(body: unknown): void {
  if (!Array.isArray(body)) requireSmallPartsOf(body);
  else for (const message of body) requireSmallPartsOf(message);
}

/** Bounds the parts of one message. */
function requireSmallPartsOf(message: unknown): void {
  const params = fieldOf(message, 'params');
  requireSmall(params, '_meta');
  requireSmall(fieldOf(message, 'result'), '_meta');
  const method = fieldOf(message, 'method');
  if (method === 'resources/subscribe') requireFewResources([fieldOf(params, 'uri')]);
  if (method === 'subscriptions/listen') {
    // The id is repeated in every message of the subscription.
    requireSmall(message, 'id');
    requireFewResources(resourcesOf(params));
  }
  if (method !== 'initialize') return;
  requireSmall(params, 'capabilities');
  requireSmall(params, 'clientInfo');
}

/** The resources that a subscription of 2026-07-28 names, of whatever type; none when they are no array. */
export function resourcesOf(params: unknown): readonly unknown[] {
  const named = fieldOf(fieldOf(params, 'notifications'), 'resourceSubscriptions');
  return Array.isArray(named) ? named : [];
}

/** Bounds the number and the length of the URIs that a client subscribes to. */
function requireFewResources(uris: readonly unknown[]): void {
  const isLong = (uri: unknown): boolean => typeof uri === 'string' && uri.length > MAX_URI_CHARACTERS;
  if (uris.length <= MAX_RESOURCES && !uris.some(isLong)) return;
  const words = `A client can subscribe to at most ${MAX_RESOURCES} resources at once, and their URIs must not have more than ${MAX_URI_CHARACTERS} characters.`;
  throw new HttpError(400, 'too_many_resources', words, { rpcCode: INVALID_PARAMS });
}

/** Bounds one part of an object, if it has that part. */
function requireSmall(whole: unknown, name: string): void {
  const part = fieldOf(whole, name);
  if (part === undefined || weigh(part, { values: MAX_PART_VALUES, characters: MAX_PART_CHARACTERS })) return;
  const words = `"${name}" must not hold more than ${MAX_PART_VALUES} values or ${MAX_PART_CHARACTERS} characters.`;
  throw new HttpError(400, 'part_too_large', words, { rpcCode: INVALID_REQUEST });
}

/** A field of an object; undefined when the value is no object. */
export function fieldOf(value: unknown, name: string): unknown {
  // oxlint-disable-next-line no-unsafe-type-assertion -- any object can be asked for any field
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Subtracts the size of a value from an allowance; returns false when the allowance does not suffice. Its depth has been bounded before. */
function weigh(value: unknown, left: { values: number; characters: number }): boolean {
  left.values -= 1;
  if (typeof value === 'string') left.characters -= value.length;
  if (left.values < 0 || left.characters < 0) return false;
  if (typeof value !== 'object' || value === null) return true;
  for (const name in value) {
    left.characters -= name.length;
    if (!weigh(fieldOf(value, name), left)) return false;
  }
  return true;
}
