/** Sealed values: encrypted data that a server gives to a client, or to another of its processes, and accepts only unaltered when it comes back. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** Seals small values and opens them. Each purpose has its own keys: a value of one purpose cannot be opened for another. */
export interface Sealer {
  /**
   * Seals bytes with the first secret. The text needs no escaping in a header, a URL or a JSON string.
   * @throws {RangeError} when they are more than {@link MAX_SEALED_BYTES}
   */
  seal(purpose: string, bytes: Uint8Array): string;
  /** What was sealed for this purpose with any of the secrets; undefined for every other text. */
  open(purpose: string, text: string): Buffer | undefined;
  /** Seals a message of any size for one place, such as a channel. It cannot be opened for any other place. */
  sealMessage(purpose: string, bytes: Uint8Array, place: string): Buffer;
  openMessage(purpose: string, sealed: Uint8Array, place: string): Buffer | undefined;
  /**
   * Names that stand for a text where others can read them: one by each secret, in the order of the secrets. Whoever has none of the secrets cannot
   * tell whether a name stands for a certain text.
   */
  namesOf(purpose: string, text: string): readonly [first: string, ...others: string[]];
}

/** The most that is sealed: with all that it carries besides, the head of a request has no room for more. Bytes. */
export const MAX_SEALED_BYTES = 8_192;

/** The length of a key. Bytes. */
const KEY_BYTES = 32;

const CIPHER = 'aes-256-gcm';

/** The lengths of nonce and tag, as the specification of GCM has them. Random nonces are good for 2^32 values of each purpose and secret. Bytes. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The length of a name. Bytes. */
const NAME_BYTES = 16;

const MAX_CHARS = Math.ceil(((NONCE_BYTES + MAX_SEALED_BYTES + TAG_BYTES) * 4) / 3);

/**
 * Makes a sealer from secrets in base64url, which the configuration has checked. The first secret seals and all of them open, so that a secret can be
 * replaced while values of the one before are still in use. Purposes are names in the code, never anything that a request brings.
 */
export function createSealer(secrets: readonly string[]): Sealer {
  const materials = secrets.map((secret) => Buffer.from(secret, 'base64url'));
  const keysOf = new Map<string, readonly KeyObject[]>();
  /** The keys of a purpose, in the order of the secrets. */
  const keysFor = (purpose: string): readonly KeyObject[] => {
    let keys = keysOf.get(purpose);
    if (keys === undefined)
      keysOf.set(purpose, (keys = materials.map((secret) => deriveKey(secret, purpose))));
    return keys;
  };

  /** The key that seals. */
  const firstFor = (purpose: string): KeyObject => {
    const [key] = keysFor(purpose);
    if (key === undefined) throw new Error('There is no secret to seal with.');
    return key;
  };
  const openMessage: Sealer['openMessage'] = (purpose, sealed, place) => {
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return undefined;
    for (const key of keysFor(purpose)) {
      const bytes = decrypt(key, sealed, place);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  };

  return {
    seal(purpose, bytes) {
      if (bytes.length > MAX_SEALED_BYTES) throw new RangeError(`More than ${MAX_SEALED_BYTES} bytes.`);
      return encrypt(firstFor(purpose), bytes, '').toString('base64url');
    },
    open(purpose, text) {
      const sealed = text.length <= MAX_CHARS ? decodeCanonical(text) : undefined;
      return sealed && openMessage(purpose, sealed, '');
    },
    sealMessage: (purpose, bytes, place) => encrypt(firstFor(purpose), bytes, place),
    openMessage,
    namesOf(purpose, text) {
      const use = `name of ${purpose}`;
      const nameBy = (key: KeyObject): string =>
        createHmac('sha256', key).update(text).digest().toString('base64url', 0, NAME_BYTES);
      return [nameBy(firstFor(use)), ...keysFor(use).slice(1).map(nameBy)];
    },
  };
}

/** Decodes base64url; undefined unless the text is the only one for its bytes. Node.js also takes other alphabets, padding, and unused bits. */
export function decodeCanonical(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

/** The key of a secret for one purpose (HKDF, RFC 5869). */
function deriveKey(secret: Buffer, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `mcp ${purpose}`, KEY_BYTES)));
}

/** Encrypts bytes. Returns the nonce, the ciphertext, and the tag that authenticates both the bytes and their place. */
function encrypt(key: KeyObject, bytes: Uint8Array, place: string): Buffer {
  const nonce = takeNonce();
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(Buffer.from(place));
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/** How many nonces are made at once: a call of the generator costs several times as much as the bytes of one. */
const NONCES_AT_ONCE = 256;
let nonces = Buffer.alloc(0);

/** Random bytes that are used only once. */
function takeNonce(): Buffer {
  if (nonces.length === 0) nonces = randomBytes(NONCES_AT_ONCE * NONCE_BYTES);
  const nonce = nonces.subarray(0, NONCE_BYTES);
  nonces = nonces.subarray(NONCE_BYTES);
  return nonce;
}

/** Decrypts sealed bytes; undefined when they were sealed with another key or for another place, or have been altered. */
function decrypt(key: KeyObject, sealed: Uint8Array, place: string): Buffer | undefined {
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const start = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([start, decipher.final()]);
  } catch {
    return undefined;
  }
}
