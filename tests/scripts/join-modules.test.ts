/** What a start imports stands in one script, and what must stay outside is outside. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT } from '../support/process.ts';

const BUILT = path.join(ROOT, 'dist/src');

/** A file of the build. */
function read(name: string): string {
  return readFileSync(path.join(BUILT, name), 'utf8');
}

describe('the built server', () => {
  test('is one script that finds Koa, zod and the SDK in itself', () => {
    const outside = [...read('joined.cjs').matchAll(/\b(?:require|joined)\("([^"]+)"\)/g)].map(
      ([, name = '']) => name,
    );

    expect(outside).toContain('node:crypto');
    expect(outside.filter((name) => /^(koa|zod|pino|jose|@modelcontextprotocol\/.*)$/.test(name))).toEqual(
      [],
    );
    // Loaded when they are configured, from where npm put them.
    expect(outside).toEqual(expect.arrayContaining(['pg', '@redis/client']));
  });

  test('is loaded by its entries', () => {
    // A fork's tools may need packages besides.
    expect(read('main.js')).toContain('await load("src/main.ts", [');
    expect(read('../lab/fixture/entry.js')).toContain('await load("lab/fixture/entry.ts", []);');
  });

  test('imports nothing itself: Node 20 warns about a script that does', () => {
    expect(read('joined.cjs')).not.toMatch(/\bimport\("(pg|@redis\/client|@photostructure\/sqlite)"\)/);
  });

  test('holds no table of media types, which every start would read', () => {
    expect(read('joined.cjs')).not.toContain('application/vnd.openxmlformats');
  });

  test('has a map by which stack traces lead to the sources', () => {
    const map: unknown = JSON.parse(read('joined.cjs.map'));

    expect(map).toMatchObject({
      sources: expect.arrayContaining(['../../src/mcp/call-tool.ts', '../../src/server/start-server.ts']),
    });
  });
});
