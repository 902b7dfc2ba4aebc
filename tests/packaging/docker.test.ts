/** Tests that the image is made of what it needs: what is let into the build, and what the others files say of it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import ts from 'typescript';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Manifest {
  readonly license: string;
  readonly dependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
}

let dockerfile: string;
let manifest: Manifest;
let allowed: string[];
beforeAll(async () => {
  dockerfile = await read('Dockerfile');
  manifest = JSON.parse(await read('package.json')) as Manifest;
  allowed = (await settingsOf('.dockerignore')).flatMap((line) =>
    line.startsWith('!') ? [line.slice(1)] : [],
  );
});

test('keeps everything out of the image that is not named', async () => {
  const [first] = await settingsOf('.dockerignore');

  expect(first).toBe('*');
  expect(allowed.filter((name) => /tokens|env|git$|tests|docs/.test(name))).toEqual([]);
});

test('lets in whatever the programs of the image import, none of it for development only', async () => {
  const { files, packages } = await closureOf(['src/main.ts', 'src/stdio.ts', 'scripts/token.ts']);

  const missing = files.filter(
    (file) => !allowed.some((name) => file === name || file.startsWith(`${name}/`)),
  );
  expect(missing).toEqual([]);
  // What is optional is left out of the image, whose Node has it built in.
  const shipped = { ...manifest.dependencies, ...manifest.optionalDependencies };
  expect(packages.filter((name) => !(name in shipped))).toEqual([]);
});

test("leaves out of the image what is optional here, by its name: the binary of a fork's package may be an optional one", () => {
  const removal = /npm uninstall --no-save ((?:[^\n]*\\\n)*[^\n]*)/.exec(dockerfile)?.[1] ?? '';
  const names = removal.split(/[\s\\]+/).filter((word) => word !== '' && !word.startsWith('--'));

  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => !(name in manifest.optionalDependencies))).toEqual([]);
  expect(dockerfile).not.toContain('--omit=optional');
});

test('labels the image with the licence of package.json and the image that it is made from', () => {
  const label = (name: string) =>
    new RegExp(`org\\.opencontainers\\.image\\.${name}="([^"]*)"`).exec(dockerfile)?.[1];

  expect(label('licenses')).toBe(manifest.license);
  expect(dockerfile).toContain(`FROM ${label('base.name')?.replace('docker.io/library/', '')}\n`);
});

test('runs as a user that owns nothing, as the process that gets the signals', () => {
  const lastStage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));

  // A name cannot be verified by Kubernetes' runAsNonRoot.
  expect(lastStage).toMatch(/\nUSER 1000:1000\n/);
  expect(lastStage).not.toContain('--chown');
  expect(lastStage).toContain('\nCMD ["node", "dist/src/main.js"]\n');
});

/** A file of the checkout. */
async function read(name: string): Promise<string> {
  return readFile(path.join(ROOT, name), 'utf8');
}

/** The lines of a file that are no comments. */
async function settingsOf(name: string): Promise<string[]> {
  return (await read(name)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** Every file that these import, themselves included, and every package. */
async function closureOf(entries: readonly string[]): Promise<{ files: string[]; packages: string[] }> {
  const files = new Set(entries);
  const packages = new Set<string>();
  for (const file of files) {
    // The compiler's own scanner: some sources have imports in the texts that they show.
    for (const { fileName: name } of ts.preProcessFile(await read(file)).importedFiles) {
      if (name.startsWith('.')) files.add(path.posix.join(path.posix.dirname(file), name));
      else if (!name.startsWith('node:')) packages.add(/^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
    }
  }
  return { files: [...files], packages: [...packages] };
}
