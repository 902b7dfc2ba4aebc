/** The sources as they stand, compiled into a folder of their own, for tests that need them in a plain Node process. */
import { readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { build, type PluginBuild } from 'esbuild';
import { ROOT, type Sandbox } from './process.ts';

/** The TypeScript files under `src`, or another folder, by their paths in it; none where a fork has no such folder. */
export async function listSources(folder = 'src'): Promise<string[]> {
  const names = await readdir(path.join(ROOT, folder), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.ts')).toSorted();
}

/** Compiles `src` into a new folder of the sandbox and returns that; a copy of `dist` may be older than the sources. */
export async function compileSources(sandbox: Sandbox): Promise<string> {
  const folder = await sandbox.folder({ 'package.json': '{"type":"module"}' });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  await compileInto(folder, path.join(ROOT, 'src'));
  return folder;
}

/** Compiles all of a folder into another one; what is wrong with its types is not found. */
export async function compileInto(outdir: string, folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  await build({
    absWorkingDir: folder,
    entryPoints: names
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ in: name, out: name.replace(/\.ts$/, '') })),
    outdir,
    // A file for each, as tsc writes them: what is imported is left where it is, so that nothing is joined.
    bundle: true,
    packages: 'external',
    plugins: [{ name: 'file-by-file', setup: leaveImports }],
    format: 'esm',
    platform: 'node',
    target: 'es2023',
    logLevel: 'error',
  });
}

/** Leaves every import of ours where it is, under the name that the compiled file has. */
function leaveImports({ onResolve }: PluginBuild): void {
  onResolve({ filter: /\.ts$/ }, ({ path: target, kind }) =>
    kind === 'entry-point' ? undefined : { path: target.replace(/ts$/, 'js'), external: true },
  );
}
