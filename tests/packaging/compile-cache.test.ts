/** What V8 has made of the program is there before the first start, where Node can keep it. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { findModernNode } from '../../scripts/modern-node.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';

const sandbox = createSandbox();
afterAll(async () => sandbox.close());

const folder = path.join(ROOT, 'dist/.compiled');
const args = [path.join(ROOT, 'dist/scripts/compile-ahead.js')];

// npm may have to download a Node first.
test('a Node that can keep compiled code does, for everything that a start imports', async () => {
  rmSync(folder, { recursive: true, force: true });
  const run = sandbox.spawn({ command: await findModernNode(), args, cwd: ROOT });

  const { code } = await waitForEnd(run, { timeoutMs: 30_000 });

  const kept = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const bytes = kept.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0);
  expect({ code, stderr: run.stderr() }).toEqual({ code: 0, stderr: '' });
  // Of zod, the SDK and Koa, each alone is a fifth of that.
  expect(bytes).toBeGreaterThan(500_000);
}, 180_000);

test('an older Node does without, and says nothing', async () => {
  rmSync(folder, { recursive: true, force: true });
  const run = sandbox.spawn({ args, cwd: ROOT });

  const { code } = await waitForEnd(run, { timeoutMs: 30_000 });

  expect({ code, stderr: run.stderr() }).toEqual({ code: 0, stderr: '' });
  // oxlint-disable-next-line jest/no-conditional-expect -- whoever runs the tests may have the newer Node
  if (Number.parseInt(process.versions.node) < 22) expect(existsSync(folder)).toBe(false);
});
