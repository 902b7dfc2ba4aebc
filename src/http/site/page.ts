/** `GET /`: what runs here, how to connect to it and its tools to try, as a page; what runs here, as JSON. */
import { CLIENT_IDS, renderClient } from '../../connect/clients.ts';
import { TOKEN_PLACEHOLDER } from '../../connect/target.ts';
import type { Handler, RequestContext, Route } from '../context.ts';
import { HttpError } from '../errors.ts';
import { fillTemplate, type TemplateValues } from './page-template.ts';
import { createStaticFile, readPageTemplate, readStaticFiles, sendStaticFile } from './static-files.ts';

/** What an anonymous visitor may know. */
export interface PageParts {
  readonly name: string;
  readonly version: string;
  readonly authEnabled: boolean;
  readonly sseEnabled: boolean;
  /** The origin that clients see; without it the page's script puts in the one that it was loaded from. */
  readonly publicUrl?: string | undefined;
}

/** The public route: the page at `/`, and the files that it loads under `/page/`. */
export function createPageRoute(parts: PageParts): Route {
  const files = readStaticFiles();
  const face = describeServer(parts);
  // Named in the page, so that the browser need not find them import by import.
  const modules = [...files.keys()].filter((name) => name.endsWith('.js')).map((file) => ({ file }));
  const html = createStaticFile('html', fillTemplate(readPageTemplate(), { ...pageValues(parts), modules }));
  const isFramed = isReplitPreview(parts);
  const policy = contentSecurityPolicy(isFramed);

  const answer: Handler = (ctx) => {
    if (ctx.path === '/') return sendPage(ctx);
    const file = files.get(ctx.path.slice('/page/'.length));
    if (file === undefined) throw new HttpError(404, 'not_found', 'The page has no such file.');
    sendStaticFile(ctx, file);
  };
  const sendPage = (ctx: RequestContext): void => {
    ctx.vary('Accept');
    if (ctx.accepts('html', 'json') === 'json') {
      ctx.body = face;
      return;
    }
    ctx.set('Content-Security-Policy', policy);
    // It has no word for one allowed framer; frame-ancestors has.
    if (isFramed) ctx.remove('X-Frame-Options');
    sendStaticFile(ctx, html);
  };
  return { path: '/{page/:file}', methods: { GET: answer, HEAD: answer }, access: 'public' };
}

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

/**
 * Stands for this server's address until the page's script knows it. Never the request's Host header: whoever sends
 * that could write another server into configurations that carry a token.
 */
const PLACEHOLDER = 'https://your-server.example';

/** What the template is filled with. */
function pageValues({ name, version, authEnabled, sseEnabled, publicUrl }: PageParts): TemplateValues {
  const origin = publicUrl ?? PLACEHOLDER;
  return {
    name,
    version,
    origin,
    auth: authEnabled ? 'on' : 'off',
    authOn: authEnabled,
    authOff: !authEnabled,
    sse: sseEnabled ? 'on' : 'off',
    placeholder: publicUrl === undefined ? PLACEHOLDER : '',
    originUnknown: publicUrl === undefined,
    tokenPlaceholder: TOKEN_PLACEHOLDER,
    transports: [
      {
        title: 'Streamable HTTP',
        url: `${origin}/mcp`,
        revisions: 'revisions 2025-03-26 to 2026-07-28',
      },
      ...(sseEnabled
        ? [{ title: 'HTTP+SSE', url: `${origin}/sse`, revisions: 'revision 2024-11-05, for older clients' }]
        : []),
    ],
    clients: clientValues(name, origin),
  };
}

/** The configurations of every client. */
function clientValues(name: string, origin: string): TemplateValues[] {
  const httpOrigin = origin.replace(/^https:/, 'http:');
  return CLIENT_IDS.map((id) => {
    const { title, where, note = '', text } = renderClient(id, { name, origin });
    // The page may turn out to be loaded over plain HTTP, for which some configurations say more.
    const overHttp = renderClient(id, { name, origin: httpOrigin }).text.replaceAll(httpOrigin, origin);
    return {
      id,
      title,
      where,
      note,
      hasNote: note !== '',
      code: text,
      codeOverHttp: overHttp === text ? '' : overHttp,
      open: id === CLIENT_IDS[0] ? 'open' : '',
    };
  });
}

/** Whether this is a development address of Replit, which its workspace shows in a frame; a deployed page is never framed. */
function isReplitPreview({ publicUrl }: PageParts): boolean {
  return publicUrl !== undefined && new URL(publicUrl).hostname.endsWith('.replit.dev');
}

/** What browsers let the page do: its own files, requests to its own server, and images and sounds that a tool returns. */
function contentSecurityPolicy(isFramed: boolean): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    'media-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${isFramed ? 'https://replit.com' : "'none'"}`,
    // No script of the page can turn text into markup, whatever a tool returns.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}
