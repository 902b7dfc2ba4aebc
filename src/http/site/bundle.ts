/** `GET /connect.mcpb`: the bundle that connects Claude Desktop to this server. `npm run drop -- bundle` takes it out. */
import type { RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';
import type { Face } from './face.ts';

/** A host name or an address, with or without a port. The gate has allowed it by then. */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** Imports the code that makes the bundle. */
const load = async () => import('../../connect/bundle/make-bundle.ts');

/** Makes the public route. The code that it needs is loaded after the start. */
export function createBundleRoute(face: Face): Route {
  const answer = async (ctx: RequestContext): Promise<void> => {
    const { makeBundle } = await load();
    const { name, version, authEnabled } = face;
    const url = `${face.publicUrl ?? addressOf(ctx)}/mcp`;
    const bundle = orNotHere(() => makeBundle({ url, name, version, withoutToken: !authEnabled }));
    ctx.attachment(`${name}.mcpb`);
    // Not the type of an archive: some browsers unpack an archive when they save it.
    ctx.type = 'application/octet-stream';
    ctx.body = bundle;
  };
  return {
    path: '/connect.mcpb',
    methods: { GET: answer, HEAD: answer },
    access: 'public',
    loadAhead: load,
  };
}

/**
 * Returns what `make` makes from files that an image made by hand may lack.
 * @throws {HttpError} 404 when they are not there
 */
function orNotHere<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause;
    const words = 'This server has no bundle: the folder bundle/ is not part of its installation.';
    throw new HttpError(404, 'not_found', words, { cause });
  }
}

/** The address that the request was sent to, for a server without PUBLIC_URL. No cache keeps the answer: it says no-store. */
function addressOf(ctx: RequestContext): string {
  const { host = '' } = ctx.req.headers;
  // A host of this form may still be invalid: its port may be above 65535, or its name may not be valid Punycode.
  if (!HOST.test(host) || !URL.canParse(`http://${host}`))
    throw new HttpError(404, 'not_found', 'The address of this server is not known. Set PUBLIC_URL to it.');
  return `${ctx.protocol}://${host.toLowerCase()}`;
}
