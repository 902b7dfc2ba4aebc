/** Compiles the present sources into a folder of their own, for tests that need them in a plain Node process. */
import { readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { build, type PluginBuild } from 'esbuild';
import { ROOT, type Sandbox } from './process.ts';

/** The paths of the TypeScript files in `src`, or in another folder; none where a fork has no such folder. */
export async function listSources(folder = 'src'): Promise<string[]> {
  const names = await readdir(path.join(ROOT, folder), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.ts')).toSorted();
}

/** Compiles `src` into a new folder of the sandbox, and returns the folder; `dist` could be older than the sources. */
export async function compileSources(sandbox: Sandbox): Promise<string> {
  const folder = await sandbox.folder({ 'package.json': '{"type":"module"}' });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  await compileInto(folder, path.join(ROOT, 'src'));
  return folder;
}

/** Compiles all files of a folder into another one, without checking types. */
export async function compileInto(outdir: string, folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  await build({
    absWorkingDir: folder,
    entryPoints: names
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({ in: name, out: name.replace(/\.ts$/, '') })),
    outdir,
    // One output file for each source, as tsc writes them: imports stay, so that nothing is joined.
    bundle: true,
    packages: 'external',
    plugins: [{ name: 'file-by-file', setup: leaveImports }],
    format: 'esm',
    platform: 'node',
    target: 'es2023',
    logLevel: 'error',
  });
}

/** Leaves every relative import in place, with the ending of the compiled file. */
function leaveImports({ onResolve }: PluginBuild): void {
  onResolve({ filter: /\.ts$/ }, ({ path: target, kind }) =>
    kind === 'entry-point' ? undefined : { path: target.replace(/ts$/, 'js'), external: true },
  );
}
