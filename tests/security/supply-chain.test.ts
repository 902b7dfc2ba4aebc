/** What the server is made from: locked, whole, known licences, nothing that runs at install, and an audit that tells. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { judgeAudit } from '../../lab/audit/judge.ts';
import { describeLicences, findUnknownLicences } from '../../lab/licences/describe.ts';
import { ROOT } from '../support/process.ts';

/** A package as the lock file has it. */
interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

let lockText: string;
let packages: [string, LockedPackage][];
beforeAll(async () => {
  lockText = await read('package-lock.json');
  const lock = JSON.parse(lockText) as { packages: Record<string, LockedPackage> };
  packages = Object.entries(lock.packages).filter(([name]) => name !== '');
});

describe('the lock file', () => {
  test('has a digest for every package but those for other platforms than ours, and sends nobody to another address than the registry', () => {
    const faulty = packages.filter(
      ([, { integrity = '', optional = false, dev = false }]) =>
        !(dev && optional) && !integrity.startsWith('sha512-'),
    );
    const elsewhere = packages.filter(([, { resolved, link }]) => resolved !== undefined || link === true);

    expect(packages.length).toBeGreaterThan(100);
    expect(faulty).toEqual([]);
    expect(elsewhere).toEqual([]);
  });

  test('has no runtime package that wants to run something at install, and every other one is refused', async () => {
    const manifest = JSON.parse(await read('package.json')) as { allowScripts: Record<string, boolean> };

    const wanting = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true);
    const allowed = Object.values(manifest.allowScripts).filter(Boolean);

    expect(wanting.filter(([, { dev }]) => dev !== true)).toEqual([]);
    expect(allowed).toEqual([]);
  });
});

describe('the licences', () => {
  test('of the runtime packages are listed as package-lock.json has them; npm run licences writes the list', async () => {
    const options = await resolveConfig(path.join(ROOT, 'docs/LICENCES.md'));

    const list = await format(describeLicences(lockText), { ...options, parser: 'markdown' });

    expect(await read('docs/LICENCES.md')).toBe(list);
    expect(findUnknownLicences(lockText)).toEqual([]);
  });

  test('that nobody has looked at are named', () => {
    const lock = JSON.stringify({
      packages: { '': {}, 'node_modules/a': { license: 'SSPL-1.0' }, 'node_modules/b/node_modules/@c/d': {}, 'node_modules/e': { dev: true } },
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
