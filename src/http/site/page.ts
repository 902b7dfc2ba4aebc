/** The page: what runs here, how to connect to it, and its tools to try. `npm run drop -- page` takes it out. */
import { clientIdsFor, renderClient } from '../../connect/clients.ts';
import { type ConnectTarget, TOKEN_PLACEHOLDER } from '../../connect/target.ts';
import { basePathOf } from '../base-path.ts';
import { HttpError } from '../errors.ts';
import type { Face, Page } from './face.ts';
import { fillTemplate, type TemplateValues } from './page-template.ts';
import {
  createStaticFile,
  readPageTemplate,
  readStaticFiles,
  sendStaticFile,
  type StaticFile,
} from './static-files.ts';

/** The page. It is made from the files of `public/` after the start, or at the first request for it, if that comes earlier. */
export function createPage(face: Face): Page {
  let made: Made | undefined;
  const make = (): Made => (made ??= makePage(face));
  const isFramed = isReplitPreview(face);
  const policy = contentSecurityPolicy(isFramed);

  return {
    send(ctx) {
      ctx.set('Content-Security-Policy', policy);
      // X-Frame-Options cannot allow a single origin; frame-ancestors can.
      if (isFramed) ctx.remove('X-Frame-Options');
      sendStaticFile(ctx, make().html);
    },
    sendFile(ctx, name) {
      const file = make().files.get(name);
      if (file === undefined) throw new HttpError(404, 'not_found', 'The page has no such file.');
      sendStaticFile(ctx, file);
    },
    async loadAhead() {
      make();
    },
  };
}

/** The page as it is served. */
interface Made {
  readonly html: StaticFile;
  /** The files that it loads, by name. */
  readonly files: ReadonlyMap<string, StaticFile>;
}

/** Reads the files and fills in the template. */
function makePage(face: Face): Made {
  const files = readStaticFiles();
  // The page names all modules, so that the browser need not find them import by import.
  const modules = [...files.keys()].filter((name) => name.endsWith('.js')).map((file) => ({ file }));
  const values = { ...pageValues(face), modules };
  return { files, html: createStaticFile('html', fillTemplate(readPageTemplate(), values)) };
}

/**
 * Stands for this server's address until the page's script knows it. It is never the request's Host header: a sender could use that to put
 * another server into configurations that contain a token.
 */
const PLACEHOLDER = 'https://your-server.example';

/** The values of the template. */
function pageValues(face: Face): TemplateValues {
  const { name, version, authEnabled, authSwitchedOff, canSignIn, sseEnabled, publicUrl } = face;
  const origin = publicUrl ?? PLACEHOLDER;
  const basePath = basePathOf(publicUrl);
  return {
    name,
    version,
    origin,
    // Relative to the page's own address if no base path is known: a proxy may have added one that the server was not told.
    base: basePath === '' ? './' : `${basePath}/`,
    auth: authEnabled ? 'on' : 'off',
    authOn: authEnabled,
    authOff: !authEnabled,
    authSwitchedOff,
    authNotOn: !authEnabled && !authSwitchedOff,
    canSignIn,
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
    clients: clientValues({ name, origin, version, withoutHeader: !authEnabled }, canSignIn),
  };
}

/** The values of each client's configuration. */
function clientValues(target: ConnectTarget, canSignIn: boolean): TemplateValues[] {
  const { origin } = target;
  const httpOrigin = origin.replace(/^https:/, 'http:');
  return clientIdsFor({ canSignIn }).map((id, index) => {
    const { title, where, note = '', runsOn = [], oneClick, text } = renderClient(id, target);
    // The page may be loaded over plain HTTP, for which some configurations contain more.
    const overHttp = renderClient(id, { ...target, origin: httpOrigin }).text.replaceAll(httpOrigin, origin);
    return {
      id,
      title,
      where,
      note,
      runsOn: runsOn.join(' '),
      hasNote: note !== '',
      code: text,
      codeOverHttp: overHttp === text ? '' : overHttp,
      open: index === 0 ? 'open' : '',
      hasClick: oneClick !== undefined,
      words: oneClick?.words ?? '',
      next: oneClick?.next ?? '',
      link: JSON.stringify(oneClick?.link ?? []),
      holdsToken: oneClick?.holdsToken === true ? 'yes' : 'no',
    };
  });
}

/** Whether this is a development address of Replit, which its workspace shows in a frame; a deployed page is never framed. */
function isReplitPreview({ publicUrl }: Face): boolean {
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
