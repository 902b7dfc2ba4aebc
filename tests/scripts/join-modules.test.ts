/** What a start imports stands in a few files, and what must stay outside is outside. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ROOT } from '../support/process.ts';

const BUILT = path.join(ROOT, 'dist/src');
const PIECES = readdirSync(BUILT).filter((name) => /^joined-.*\.js$/.test(name));

/** What is imported, by that name, in pieces of the build; loaded at once, or when it is needed. */
function importsOf(names: readonly string[]): Set<string> {
  const pattern = /(?:^(?:import|export)\b[^;]*?from\s*|^import\s*|\bimport\()"([^"]+)"/gm;
  const texts = names.map((name) => readFileSync(path.join(BUILT, name), 'utf8'));
  return new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name)));
}

describe('the built server', () => {
  test('is a few files that find Koa, zod and the SDK in themselves', () => {
    const outside = [...importsOf([...PIECES, 'main.js', 'stdio.js'])].filter(
      (name) => !/^\.|^node:/.test(name),
    );

    // Databases, Redis, providers and the terminal: each loaded when it is configured, from where npm put it.
    expect(PIECES.length).toBeGreaterThan(3);
    expect(outside.filter((name) => /^(koa|zod|pino|@modelcontextprotocol\/.*)$/.test(name))).toEqual([]);
  });

  test('never imports node:http, which would make Node load its HTTP client', () => {
    expect(importsOf(PIECES)).not.toContain('node:http');
    expect(importsOf(PIECES)).toContain('node:crypto');
  });

  test('has maps by which stack traces lead to the sources', () => {
    const sources = PIECES.flatMap((name) => {
      const map: unknown = JSON.parse(readFileSync(path.join(BUILT, `${name}.map`), 'utf8'));
      return typeof map === 'object' && map !== null && 'sources' in map ? map.sources : [];
    });

    expect(sources).toEqual(
      expect.arrayContaining(['../../src/mcp/call-tool.ts', '../../src/server/start-server.ts']),
    );
  });
});
