/** The sources as they stand, compiled into a folder of their own, for tests that need them in a plain Node process. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';
import { ROOT, type Sandbox } from './process.ts';

/** As `tsconfig.build.json` has it, for one file at a time. */
const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/** The TypeScript files under `src`, or another folder, by their paths in it; none where a fork has no such folder. */
export async function listSources(folder = 'src'): Promise<string[]> {
  const names = await readdir(path.join(ROOT, folder), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.ts')).toSorted();
}

/** Compiles `src` into a new folder of the sandbox and returns that; a copy of `dist` may be older than the sources. */
export async function compileSources(sandbox: Sandbox): Promise<string> {
  const folder = await sandbox.folder({ 'package.json': '{"type":"module"}' });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  for (const name of await listSources()) {
    const text = await readFile(path.join(ROOT, 'src', name), 'utf8');
    const { outputText } = ts.transpileModule(text, { compilerOptions: OPTIONS, fileName: name });
    const target = path.join(folder, name.replace(/\.ts$/, '.js'));
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, outputText);
  }
  return folder;
}
