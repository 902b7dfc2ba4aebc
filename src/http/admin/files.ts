/** The files of the page for admins, which a browser loads before anybody has signed in: they hold nothing but the page. */
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

/** The handlers by path. */
export function createAdminFiles({
  serverName,
  publicUrl,
}: Pick<AdminParts, 'serverName' | 'publicUrl'>): Map<string, Handler> {
  const folder = path.join(packageFolder(), 'public/admin');
  if (!existsSync(folder)) return new Map([['/admin', answerMissing]]);
  const base = `${basePathOf(publicUrl)}/`;
  const template = readFileSync(path.join(folder, 'index.html'), 'utf8');
  const html = createStaticFile('html', fillTemplate(template, { name: serverName, base }));
  const send: Handler = (ctx) => {
    ctx.set('Content-Security-Policy', POLICY);
    sendStaticFile(ctx, html);
  };
  const files = FILES.map((name): [string, Handler] => [
    `/admin/${name}`,
    serve(path.extname(name), path.join(folder, name)),
  ]);
  return new Map([
    ['/admin', send],
    ...files,
    [
      '/admin/qrcode.js',
      serve(
        '.js',
        createRequire(import.meta.url)
          .resolve('qrcode-generator')
          .replace(/\.js$/, '.mjs'),
      ),
    ],
  ]);
}

/** What the page loads. */
const FILES = [
  'admin.js',
  'api.js',
  'ask.js',
  'dialog.js',
  'edit.js',
  'people.js',
  'sheet.js',
  'sessions.js',
  'admin.css',
];

/** Serves a file, which is read when it is first asked for. */
function serve(type: string, file: string): Handler {
  let content: ReturnType<typeof createStaticFile> | undefined;
  return (ctx) => {
    content ??= createStaticFile(type, readFileSync(file, 'utf8'));
    sendStaticFile(ctx, content);
  };
}

/** Where a fork has taken the page out. */
const answerMissing: Handler = () => {
  throw new HttpError(404, 'not_found', 'This server has no pages. The API for admins is under /admin/api/.');
};
