/** The files of the page for admins. Browsers load them before anybody has signed in: they contain nothing but the page. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { packageFolder } from '../../package.ts';
import type { Handler } from '../context.ts';
import { HttpError } from '../errors.ts';
import { basePathOf } from '../base-path.ts';
import { createStaticFile, sendStaticFile } from '../site/static-files.ts';
import { fillTemplate } from '../site/page-template.ts';
import type { AdminParts } from './admin.ts';

/** What browsers let the page do: its own files, and requests to its own server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Makes the handlers, by path. */
export function createAdminFiles({
  serverName,
  publicUrl,
}: Pick<AdminParts, 'serverName' | 'publicUrl'>): Map<string, Handler> {
  const folder = path.join(packageFolder(), 'public/admin');
  if (!existsSync(folder)) return new Map([['/admin', answerMissing]]);
  const base = `${basePathOf(publicUrl)}/`;
  const send = serve('html', () => fillTemplate(read(folder, 'index.html'), { name: serverName, base }));
  const files = FILES.map((name): [string, Handler] => [
    `/admin/${name}`,
    serve(path.extname(name), () => read(folder, name)),
  ]);
  const page: Handler = (ctx) => {
    ctx.set('Content-Security-Policy', POLICY);
    return send(ctx);
  };
  return new Map([['/admin', page], ...files, ['/admin/qrcode.js', serve('.js', readQrCode)]]);
}

/** The files that the page loads. */
const FILES = [
  'admin.js',
  'api.js',
  'ask.js',
  'dialog.js',
  'edit.js',
  'people.js',
  'questions.js',
  'sheet.js',
  'sessions.js',
  'admin.css',
];

/** Makes a handler that serves a text, which is read at the first request. */
function serve(type: string, readText: () => string): Handler {
  let content: ReturnType<typeof createStaticFile> | undefined;
  return (ctx) => {
    content ??= createStaticFile(type, readText());
    sendStaticFile(ctx, content);
  };
}

/** Reads a file of the page. */
function read(folder: string, name: string): string {
  return readFileSync(path.join(folder, name), 'utf8');
}

/** Reads the package that draws QR codes. */
function readQrCode(): string {
  const script = createRequire(import.meta.url).resolve('qrcode-generator');
  return readFileSync(script.replace(/\.js$/, '.mjs'), 'utf8');
}

/** Answers in place of the page, if a fork has removed its files. */
const answerMissing: Handler = () => {
  throw new HttpError(404, 'not_found', 'This server has no pages. The API for admins is under /admin/api/.');
};
