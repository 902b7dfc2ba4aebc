/** What the server is made from: locked, whole, nothing that runs at install without a decision, and an audit that tells. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { judgeAudit } from '../../lab/audit/judge.ts';
import { findUnknownLicences } from '../../lab/licences/describe.ts';
import { ROOT } from '../support/process.ts';

/** A package as the lock file has it. */
interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

/** The packages with an install script about which nothing has been decided. */
function undecidedScripts(
  all: readonly (readonly [folder: string, LockedPackage])[],
  decisions: Readonly<Record<string, boolean>>,
): string[] {
  return all
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([folder, { version = '', resolved = '' }]) => ({
      name: folder.split('node_modules/').at(-1) ?? '',
      version,
      file: resolved.replace(/^file:/, '/'),
    }))
    .filter(
      ({ name, version, file }) =>
        !Object.keys(decisions).some(
          (key) =>
            key === name ||
            (key.startsWith(`${name}@`) &&
              key
                .slice(name.length + 1)
                .split(' || ')
                .includes(version)) ||
            (key.startsWith('file:') && key.endsWith(file)),
        ),
    )
    .map(({ name, version }) => `${name}@${version}`);
}

let lockText: string;
let packages: [string, LockedPackage][];
beforeAll(async () => {
  lockText = await read('package-lock.json');
  const lock = JSON.parse(lockText) as { packages: Record<string, LockedPackage> };
  packages = Object.entries(lock.packages).filter(([name]) => name !== '');
});

describe('the lock file', () => {
  test('has a digest for every package but those for other platforms than ours and those of this repository, and sends nobody to another address than the registry', () => {
    const foreign = packages.filter(([name, { link }]) => name.includes('node_modules/') && link !== true);
    const faulty = foreign.filter(
      ([, { integrity = '', optional = false, dev = false }]) =>
        !(dev && optional) && !integrity.startsWith('sha512-'),
    );
    const elsewhere = packages.filter(
      ([, { resolved, link }]) => resolved !== undefined && link !== true && !resolved.startsWith('file:'),
    );

    expect(packages.length).toBeGreaterThan(20);
    expect(faulty).toEqual([]);
    expect(elsewhere).toEqual([]);
  });

  test('has no package that wants to run something at install without a word on it in allowScripts: npm install-scripts approve NAME, or deny', async () => {
    const { allowScripts = {} } = JSON.parse(await read('package.json')) as {
      allowScripts?: Record<string, boolean>;
    };

    expect(undecidedScripts(packages, allowScripts)).toEqual([]);
  });

  test.each([
    ['its name', 'a'],
    ['its name and version, as npm pins it', 'a@1.0.0'],
    ['its file, as npm names those', 'file:/home/me/fork/vendor/a.tgz'],
  ])('is satisfied by %s, whatever has been decided', (_name, key) => {
    const wanting = [
      [
        'node_modules/b/node_modules/a',
        { version: '1.0.0', resolved: 'file:vendor/a.tgz', hasInstallScript: true },
      ],
    ] as const;

    expect(undecidedScripts(wanting, { [key]: true })).toEqual([]);
    expect(undecidedScripts(wanting, { [key]: false })).toEqual([]);
    expect(undecidedScripts(wanting, { b: true, 'a@2.0.0': true, ab: true })).toEqual(['a@1.0.0']);
  });
});

describe('the licences', () => {
  test('that nobody has looked at are named', () => {
    const lock = JSON.stringify({
      packages: { '': {}, 'node_modules/a': { license: 'SSPL-1.0' }, 'node_modules/b/node_modules/@c/d': {}, 'node_modules/e': { dev: true }, 'vendor/f': {}, 'node_modules/f': { link: true } },
    }); // prettier-ignore

    expect(findUnknownLicences(lock)).toEqual(['@c/d (none given)', 'a (SSPL-1.0)']);
  });
});

/** What npm prints. */
const report = (high: number, vulnerabilities = {}): string =>
  JSON.stringify({
    vulnerabilities,
    metadata: { vulnerabilities: { low: 1, moderate: 2, high, critical: 0 } },
  });

describe('the audit', () => {
  test('fails on a high vulnerability and names it', () => {
    const verdict = judgeAudit(report(1, { 'left-pad': { severity: 'high', range: '<1.3.0' } }));

    expect(verdict.passed).toBe(false);
    expect(verdict.words).toContain('left-pad <1.3.0: high');
  });

  test('passes with lower ones, and counts them', () => {
    expect(judgeAudit(report(0))).toEqual({
      passed: true,
      words: '0 critical, 0 high, 2 moderate, 1 low vulnerabilities of runtime dependencies',
    });
  });

  test.each(['', '{"error":{"code":"ENOTFOUND"}}', '{"statusCode":405}', 'npm error'])(
    'passes and says that nothing was checked when npm prints %j',
    (output) => {
      expect(judgeAudit(output)).toMatchObject({
        passed: true,
        words: expect.stringMatching(/^NOT CHECKED/),
      });
    },
  );
});

test('a fork’s CI runs what ours runs, with the right to read only', async () => {
  const workflow = await read('.github/workflows/ci.yml');

  expect(workflow).toMatch(/permissions:\n {2}contents: read\n/);
  expect(workflow).toContain('run: .ci/run');
  expect(workflow).not.toMatch(/npm (install|i)\b|secrets\.|pull_request_target/);
});

/** A file of the checkout. */
async function read(name: string): Promise<string> {
  return readFile(path.join(ROOT, name), 'utf8');
}
