/** `GET /connect.mcpb`: the bundle that connects Claude Desktop to this server. `npm run drop -- bundle` takes it out. */
import type { RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';
import type { Face } from './face.ts';

/** A name or an address with or without a port; the gate has let it in by then. */
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** Loads what makes the bundle. */
const load = async () => import('../../connect/bundle/make-bundle.ts');

/** The public route. What it takes is loaded after the start. */
export function createBundleRoute(face: Face): Route {
  const answer = async (ctx: RequestContext): Promise<void> => {
    const { makeBundle } = await load();
    const { name, version, authEnabled } = face;
    const url = `${face.publicUrl ?? addressOf(ctx)}/mcp`;
    const bundle = orNotHere(() => makeBundle({ url, name, version, withoutToken: !authEnabled }));
    ctx.attachment(`${name}.mcpb`);
    // Not as an archive: some browsers unpack what they save.
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
 * What is made of files that an image made by hand may lack.
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

/** Where the request came to, on a server that was not told its address. The answer is kept by nobody else: it says no-store. */
function addressOf(ctx: RequestContext): string {
  const { host = '' } = ctx.req.headers;
  // What looks like an address need not be one: a port above 65535, or a name that Punycode does not know.
  if (!HOST.test(host) || !URL.canParse(`http://${host}`))
    throw new HttpError(404, 'not_found', 'The address of this server is not known. Set PUBLIC_URL to it.');
  return `${ctx.protocol}://${host.toLowerCase()}`;
}
