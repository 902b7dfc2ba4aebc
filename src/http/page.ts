/** `GET /`: what runs here and how to reach it, as a page or as JSON. */
import type { RequestContext, Route } from './context.ts';

/** What an anonymous visitor may know. */
export interface PageParts {
  readonly name: string;
  readonly version: string;
  readonly authEnabled: boolean;
  readonly sseEnabled: boolean;
  /** The origin that clients see; without it the page names paths only. */
  readonly publicUrl?: string | undefined;
}

/** The public route. */
export function createPageRoute(parts: PageParts): Route {
  const face = describeServer(parts);
  const html = renderPage(face);
  const page = (ctx: RequestContext): void => {
    ctx.vary('Accept');
    if (ctx.accepts('html', 'json') === 'json') {
      ctx.body = face;
      return;
    }
    ctx.type = 'html';
    ctx.set(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    ctx.body = html;
  };
  return { path: '/', methods: { GET: page, HEAD: page }, access: 'public' };
}

/** The page's facts. */
type ServerFace = ReturnType<typeof describeServer>;

/** What the server tells about itself. */
function describeServer({ name, version, authEnabled, sseEnabled, publicUrl = '' }: PageParts) {
  return {
    name,
    version,
    authentication: authEnabled ? ('bearer' as const) : ('none' as const),
    transports: {
      'streamable-http': `${publicUrl}/mcp`,
      ...(sseEnabled && { sse: `${publicUrl}/sse` }),
    },
    tools: `${publicUrl}/tools`,
    health: `${publicUrl}/health`,
  };
}

/** The page. Everything in it comes from the configuration, and none of that can hold markup. */
function renderPage({ name, version, authentication, transports }: ServerFace): string {
  const access =
    authentication === 'bearer'
      ? '<p>Callers need a token: <code>Authorization: Bearer &lt;token&gt;</code>.</p>'
      : '<p role="alert"><strong>Authentication is off.</strong> Whoever reaches this server can use it.</p>';
  const rows = Object.entries(transports).map(
    ([kind, url]) => `<dt>${kind}</dt><dd><code>${url}</code></dd>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; }
  dt { font-weight: 600; } dd { margin: 0 0 0.5rem; } code { overflow-wrap: anywhere; }
</style>
<h1>${name}</h1>
<p>This is an MCP server (version ${version}). It is meant for MCP clients, not for browsers.</p>
${access}
<dl>
${rows.join('\n')}
</dl>
</html>
`;
}
