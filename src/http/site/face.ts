/** `GET /`: what runs here, as JSON; and for those who would rather look at it, the page, where there is one. */
import type { Handler, RequestContext, Route } from '../context.ts';

/** What an anonymous visitor may know. */
export interface Face {
  readonly name: string;
  readonly version: string;
  readonly authEnabled: boolean;
  /** Whether a variable has switched it off. */
  readonly authSwitchedOff: boolean;
  /** Whether clients can send their users somewhere to sign in. */
  readonly canSignIn: boolean;
  readonly sseEnabled: boolean;
  /** The address that clients see; without it the page's script puts in the one that it was loaded from. */
  readonly publicUrl?: string | undefined;
}

/** The same for people to look at. */
export interface Page {
  /** Answers with the page itself. */
  send(ctx: RequestContext): void;
  /** Answers with a file that it loads. */
  sendFile(ctx: RequestContext, name: string): void;
  /** Reads what it is made of. */
  loadAhead(): Promise<void>;
}

/** The public route: at `/` what runs here, and under `/page/` what the page loads. */
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

/** What the server tells about itself. */
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
