/** Collects the bytes of a request body, up to a limit, in hardly more memory than they take. */
import { CollectedBytes } from '../collected-bytes.ts';
import { grantOf, type RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';
import { LARGE_BODY_BYTES, type UploadBudget } from './upload-budget.ts';

/** JSON-RPC's error code for a body that is not valid JSON. */
export const PARSE_ERROR = -32_700;

/** The bounds of request bodies. */
export interface BodyLimits {
  readonly maxBytes: number;
  /** Counts the large ones while they are held. */
  readonly uploads: UploadBudget;
}

/**
 * Reads the bytes of a body; nothing is kept beyond a limit. Rejects with an {@link HttpError}: 413 when there are too many, 429 when the
 * user's large bodies are too many at once, 400 when the body ends early. A caller that gets a body of `LARGE_BODY_BYTES` or more must
 * release it in `uploads`.
 */
export function readBytes(ctx: RequestContext, { maxBytes, uploads }: BodyLimits): Promise<Buffer> {
  const { req } = ctx;
  const { userId } = grantOf(ctx).user;
  return new Promise((resolve, reject) => {
    const collected = new CollectedBytes();
    let claimed = 0;
    const take = (chunk: Buffer): void => {
      const length = collected.length + chunk.length;
      if (length > maxBytes) return refuse(tooLarge(maxBytes));
      if (length >= LARGE_BODY_BYTES) {
        if (!uploads.claim(userId, length - claimed)) return refuse(tooMuchAtOnce());
        claimed = length;
      }
      collected.add(chunk);
    };
    const refuse = (error: HttpError): void => {
      // The rest of the body is left to the code that answers.
      req.off('data', take).pause();
      giveUp(error);
    };
    const giveUp = (error: HttpError): void => {
      uploads.release(userId, claimed);
      claimed = 0;
      reject(error);
    };
    if (Number(req.headers['content-length'] ?? 0) > maxBytes) refuse(tooLarge(maxBytes));
    else req.on('data', take);
    req.on('end', () => resolve(collected.bytes));
    // Node's parser checks that the body has the announced length: one that ends early has no 'end' event. Node has an 'error'
    // event for it, which it emits only to a listener.
    req.on('close', () => {
      if (!req.readableEnded) giveUp(incomplete());
    });
  });
}

/** The refusal of a body over the limit. */
function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, 'body_too_large', `The body must not be larger than ${maxBytes} bytes.`, {
    facts: { limit: 'MAX_BODY_BYTES' },
  });
}

/** The refusal of a body for which the user's other large bodies leave no room. */
function tooMuchAtOnce(): HttpError {
  const words =
    'You are sending too many large bodies at once. Send this one again when others are answered.';
  return new HttpError(429, 'too_much_at_once', words, {
    headers: { 'Retry-After': '1' },
    facts: { limit: 'MAX_BODY_BYTES' },
  });
}

/** The refusal of a body that ended before it was complete. */
function incomplete(): HttpError {
  return new HttpError(400, 'incomplete_body', 'The body ended before it was complete.', {
    rpcCode: PARSE_ERROR,
  });
}
