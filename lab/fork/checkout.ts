/** Copies of this checkout: one that plays the template, and forks of it. */
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './steps.ts';

/** The files that a fork adds, by their paths in it. */
const FILES = 'lab/fork/files';

/** The folder of the copies while the proof runs, on the disk of the packages that they link to. Git, jest and the linter leave it out. */
export const COPIES = path.resolve('results/fork-proof');

/** A checkout, with methods for what a person would do in it. */
export class Checkout {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async git(...args: readonly string[]): Promise<string> {
    return run(this.folder, 'git', args);
  }

  async npm(...args: readonly string[]): Promise<string> {
    return run(this.folder, 'npm', args);
  }

  async node(...args: readonly string[]): Promise<string> {
    return run(this.folder, process.execPath, args);
  }

  /** Runs a command line from a document in a shell. */
  async shell(line: string): Promise<string> {
    return run(this.folder, 'sh', ['-c', line]);
  }

  async commit(message: string): Promise<void> {
    await this.git('add', '-A');
    await this.git('commit', '-qm', message);
  }

  async read(name: string): Promise<string> {
    return readFile(path.join(this.folder, name), 'utf8');
  }

  async has(name: string): Promise<boolean> {
    return stat(path.join(this.folder, name)).then(
      () => true,
      () => false,
    );
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(path.dirname(path.join(this.folder, name)), { recursive: true });
    await writeFile(path.join(this.folder, name), text);
  }

  /**
   * Changes the text of a file.
   * @throws when the text does not change
   */
  async edit(name: string, change: (text: string) => string): Promise<void> {
    const before = await this.read(name);
    const after = change(before);
    if (after === before) throw new Error(`${name} has nothing to be changed.`);
    await this.write(name, after);
  }

  /** Copies files of ours into it, under the same names. */
  async add(...names: readonly string[]): Promise<void> {
    for (const name of names)
      await cp(path.join(FILES, name), path.join(this.folder, name), { recursive: true });
  }

  /** Adds a tool to the list of tools, as README.md says. */
  async listTool(constant: string, file: string): Promise<void> {
    await this.edit('src/tools/index.ts', (text) =>
      text.replace(/^import/m, `import { ${constant} } from './${file}.ts';\nimport`).replace(
        /= \[([^\]]*)\];/,
        (_all, list: string) =>
          `= [${[
            ...list
              .split(',')
              .map((tool) => tool.trim())
              .filter((tool) => tool !== ''),
            constant,
          ].join(', ')}];`,
      ),
    );
  }
}

/** Makes the copy that plays the template: the files that git knows in this checkout, with changes that are not committed. */
export async function copyTemplate(): Promise<Checkout> {
  await rm(COPIES, { recursive: true, force: true });
  const template = new Checkout(path.join(COPIES, 'template'));
  await mkdir(template.folder, { recursive: true });
  const listed = await run('.', 'git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  for (const name of new Set(listed.split('\0'))) {
    const isThere = name !== '' && (await stat(name).catch(() => undefined))?.isFile() === true;
    if (isThere) await cp(name, path.join(template.folder, name));
  }
  await template.git('init', '-q', '-b', 'main');
  await template.commit('The template');
  return template;
}

/** Forks the template, with copies of this checkout's packages: installing them for each fork would take most of the time. */
export async function forkOf(template: Checkout, name: string): Promise<Checkout> {
  const fork = new Checkout(path.join(COPIES, name));
  await run(COPIES, 'git', ['clone', '-q', template.folder, fork.folder]);
  const packages = path.resolve('node_modules');
  const copy = path.join(fork.folder, 'node_modules');
  // Hard links where the system has them: packages are replaced when they change, not written to.
  await run('.', 'cp', ['-al', packages, copy]).catch(async () => cp(packages, copy, { recursive: true }));
  for (const written of ['.cache', '.prepare-stamp', '.package-lock.json'])
    await rm(path.join(copy, written), { recursive: true, force: true });
  await cp(path.join(packages, '.package-lock.json'), path.join(copy, '.package-lock.json'));
  return fork;
}
