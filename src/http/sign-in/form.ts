/** Reads the bodies of the sign-in endpoints, which are small, and refuses faulty ones with the error codes of OAuth. */
import type { IncomingMessage } from 'node:http';
import { OAuthError } from '../../auth/sign-in/oauth-error.ts';
import { type Parameters, readParameters } from '../../auth/sign-in/parameters.ts';
import { CollectedBytes } from '../collected-bytes.ts';
import type { RequestContext } from '../context.ts';
import { HttpError } from '../errors.ts';

/** The largest body that is read; no valid one is larger. Bytes. */
const MAX_BYTES = 16 * 1024;

/** Reads the fields of a form. Rejects with an {@link OAuthError} when the body is not a form. */
export async function readForm(ctx: RequestContext): Promise<Parameters> {
  if (ctx.is('application/x-www-form-urlencoded') === false || hasCoding(ctx))
    throw new OAuthError('invalid_request', 'Send the parameters as application/x-www-form-urlencoded.');
  const fields = readParameters(new URLSearchParams(await readText(ctx.req)));
  fields.requireOnce();
  return fields;
}

/** Reads the JSON of a body. Rejects with an {@link OAuthError} when the body is not JSON. */
export async function readMetadata(ctx: RequestContext): Promise<unknown> {
  if (ctx.is('application/json') === false || hasCoding(ctx))
    throw new OAuthError('invalid_client_metadata', 'Send the metadata of the client as application/json.');
  const text = await readText(ctx.req);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new OAuthError('invalid_client_metadata', 'The body is not valid JSON.');
  }
}

/** Whether a body has a content coding, such as compression. */
function hasCoding({ req }: RequestContext): boolean {
  return !/^(identity)?$/i.test(req.headers['content-encoding'] ?? '');
}

/** Reads the text of a body. Rejects with an {@link HttpError}: 413, or 400 when its client has gone. */
function readText(req: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const collected = new CollectedBytes();
    const take = (chunk: Buffer): void => {
      if (collected.length + chunk.length > MAX_BYTES) refuse();
      else collected.add(chunk);
    };
    const refuse = (): void => {
      // The code that answers decides what to do with the rest.
      req.off('data', take).pause();
      reject(new HttpError(413, 'body_too_large', `The body must not be larger than ${MAX_BYTES} bytes.`));
    };
    if (Number(req.headers['content-length'] ?? 0) > MAX_BYTES) refuse();
    else req.on('data', take);
    req.on('end', () => resolve(collected.bytes.toString()));
    req.on('close', () => {
      if (!req.readableEnded)
        reject(new HttpError(400, 'incomplete_body', 'The body ended before it was complete.'));
    });
  });
}
