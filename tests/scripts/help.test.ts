/** `--help` of every command of ours in a fresh clone: the usage, and nothing else happens; nothing is installed or built for it. */
import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EXAMPLE_NAMES } from '../../scripts/fork/answers.ts';
import { COMMAND_NAMES } from '../../scripts/token/words.mjs';
import { CLIENT_IDS } from '../../src/connect/clients.ts';
import { testInCi } from '../support/in-ci.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';

const sandbox = createSandbox();
let clone: string;
let scripts: Readonly<Record<string, string>>;

// What a clone has of the programs, without node_modules and dist.
beforeAll(async () => {
  clone = await sandbox.folder();
  for (const name of ['package.json', 'scripts', 'lab', 'src'])
    await cp(path.join(ROOT, name), path.join(clone, name), {
      recursive: true,
      filter: (file) => !file.endsWith('node_modules'),
    });
  ({ scripts } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  });
});
afterAll(async () => sandbox.close());

/** Runs a script of package.json that is a program of ours, as npm does, but for npm's own start. */
async function run(name: string, args: readonly string[]) {
  const words = (scripts[name] ?? '').replace(/^exec /, '').split(' ');
  const child = sandbox.spawn({ args: [...words.slice(1), ...args], cwd: clone });
  const { code } = await waitForEnd(child);
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

/** Whatever is in the clone, by name. */
async function filesOfClone(): Promise<string[]> {
  return (await readdir(clone, { recursive: true })).toSorted();
}

testInCi.each(['--help', '-h'])(
  'every command explains itself by %s in a clone in which nothing is installed, and leaves it as it was',
  async (option) => {
    const names = Object.keys(scripts).filter((name) => /^(exec )?node scripts\//.test(scripts[name] ?? ''));
    const before = await filesOfClone();

    const problems: string[] = [];
    for (const name of names) {
      const { code, stdout, stderr } = await run(name, [option]);
      // Of two names of one command, as test and check, the text has one.
      const isExplained = stdout.includes(`npm run ${name}`) || /^npm (test|start|run)\b/.test(stdout);
      if (code !== 0 || stderr !== '' || !isExplained)
        problems.push(`${name} ${option}: ${code}\n${stdout}\n${stderr}`);
    }

    expect(names.length).toBeGreaterThan(15);
    expect(problems).toEqual([]);
    expect(await filesOfClone()).toEqual(before);
  },
  60_000,
);

testInCi(
  'so does every command of npm run token',
  async () => {
    const before = await filesOfClone();

    const problems: string[] = [];
    for (const command of COMMAND_NAMES) {
      const { code, stdout, stderr } = await run('token', [command, '--help']);
      if (code !== 0 || stderr !== '' || !stdout.startsWith(`npm run token -- ${command}`))
        problems.push(`${command}: ${code}\n${stdout}\n${stderr}`);
    }

    expect(problems).toEqual([]);
    expect(await filesOfClone()).toEqual(before);
  },
  60_000,
);

test('the usage texts list the clients and tools that exist', async () => {
  const [connect, init] = await Promise.all([run('connect', ['--help']), run('init', ['--help'])]);

  expect(connect.stdout.replaceAll(/\n {19}/g, ' ')).toContain(`one of: ${CLIENT_IDS.join(', ')}\n`);
  expect(init.stdout).toContain(`: ${EXAMPLE_NAMES.join(', ')} (`);
});
