/** The files of `public/`, read once and served from memory. Browsers ask each time, and are mostly told that nothing has changed. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageFolder } from '../../package.ts';
import type { RequestContext } from '../context.ts';

/** A file as it is served. */
export interface StaticFile {
  /** A media type, or the extension it belongs to. */
  readonly type: string;
  readonly body: string;
  readonly etag: string;
}

/** Makes a file of a text. */
export function createStaticFile(type: string, body: string): StaticFile {
  return { type, body, etag: createHash('sha256').update(body).digest('base64url').slice(0, 22) };
}

/**
 * Reads the files of `public/` that a page may load, by name.
 * @throws the system's error when the folder cannot be read
 */
export function readStaticFiles(): ReadonlyMap<string, StaticFile> {
  const folder = publicFolder();
  const names = readdirSync(folder).filter((name) => SERVED_EXTENSIONS.has(path.extname(name)));
  return new Map(
    names.map((name) => [
      name,
      createStaticFile(path.extname(name), readFileSync(path.join(folder, name), 'utf8')),
    ]),
  );
}

/** The extensions of files that the page loads; other files in the folder are not served. */
const SERVED_EXTENSIONS: ReadonlySet<string> = new Set(['.css', '.js', '.svg']);

/** Reads `public/index.html`, which is a template and not served as it is. */
export function readPageTemplate(): string {
  return readFileSync(path.join(publicFolder(), 'index.html'), 'utf8');
}

/** Answers with a file. Browsers may keep it, but must ask each time whether it has changed: its name does not contain its version. */
export function sendStaticFile(ctx: RequestContext, { type, body, etag }: StaticFile): void {
  ctx.set('Cache-Control', 'no-cache');
  ctx.etag = etag;
  ctx.type = type;
  ctx.status = 200;
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = body;
}

/** The path of `public/`. */
function publicFolder(): string {
  return path.join(packageFolder(), 'public');
}
