/** `GET /`: describes the server as JSON, or shows the page to browsers, if there is one. */
import type { Handler, RequestContext, Route } from '../context.ts';

/** What an anonymous visitor may know. */
export interface Face {
  readonly name: string;
  readonly version: string;
  readonly authEnabled: boolean;
  /** Whether a variable has switched authentication off. */
  readonly authSwitchedOff: boolean;
  /** Whether clients can send their users somewhere to sign in. */
  readonly canSignIn: boolean;
  readonly sseEnabled: boolean;
  /** The address that clients use; without it, the page's script fills in the one that it was loaded from. */
  readonly publicUrl?: string | undefined;
}

/** The page, which shows the same to people. */
export interface Page {
  /** Answers with the page itself. */
  send(ctx: RequestContext): void;
  /** Answers with a file that the page loads. */
  sendFile(ctx: RequestContext, name: string): void;
  /** Reads the files that it is made of. */
  loadAhead(): Promise<void>;
}

/** Makes the public route: the description or the page at `/`, and the page's files under `/page/`. */
export function createFaceRoute(face: Face, page?: Page): Route {
  const description = describeServer(face);
  const answer: Handler = (ctx) => {
    if (page !== undefined && ctx.path !== '/') return page.sendFile(ctx, ctx.path.slice('/page/'.length));
    ctx.vary('Accept');
    if (page !== undefined && ctx.accepts('html', 'json') !== 'json') return page.send(ctx);
    ctx.body = description;
  };
  const path = page === undefined ? '/' : '/{page/:file}';
  const route = { path, methods: { GET: answer, HEAD: answer }, access: 'public' } as const;
  return page === undefined ? route : { ...route, loadAhead: page.loadAhead };
}

/** The description of the server. */
function describeServer({ name, version, authEnabled, canSignIn, sseEnabled, publicUrl = '' }: Face) {
  return {
    name,
    version,
    authentication: authEnabled ? ('bearer' as const) : ('none' as const),
    ...(canSignIn && { signIn: `${publicUrl}/.well-known/oauth-protected-resource/mcp` }),
    transports: {
      'streamable-http': `${publicUrl}/mcp`,
      ...(sseEnabled && { sse: `${publicUrl}/sse` }),
    },
    tools: `${publicUrl}/tools`,
    health: `${publicUrl}/health`,
  };
}
