/** `npm run verify`: what fails or does not run is no success. That everything passes, .ci/run shows. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { npmProgram } from '../../scripts/npm-program.ts';
import { testInCi } from '../support/in-ci.ts';
import { builtFile, createSandbox, waitForEnd } from '../support/process.ts';
import { createSelfSignedCertificate } from '../support/self-signed.ts';
import { ADA, startTestServer, type TestServer } from '../support/start-server.ts';

// npm may have to download a Node first.
jest.setTimeout(180_000);

const sandbox = createSandbox();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  await server.close();
  await sandbox.close();
});

/** Runs it with these arguments. */
async function verify(args: readonly string[], token: string, more: Readonly<Record<string, string>> = {}) {
  const cwd = await sandbox.folder();
  const { npm_config_cache: cache = '' } = process.env;
  const env = { SMOKE_TOKEN: token, ...(cache !== '' && { npm_config_cache: cache }), ...more };
  const run = sandbox.spawn({ args: [builtFile('lab/verify/main.js'), ...args], cwd, env });
  const { code } = await waitForEnd(run, { timeoutMs: 170_000 });
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}

testInCi('a server that refuses the token fails each check, and the token is not shown', async () => {
  const { code, stdout } = await verify([server.url, '--only', 'inspector'], 'tok_wrong_0123456789');

  expect(stdout).toMatch(/✗ inspector[^]*FAILED: 0 of 3 checks passed/);
  expect(stdout).not.toContain('tok_wrong_0123456789');
  expect(code).toBe(1);
});

testInCi('a program that fails is no success, and the token in what it says is not shown', async () => {
  const programs = await sandbox.folder();
  await writeFile(path.join(programs, 'npx'), '#!/bin/sh\necho "$@"\nexit 7\n', { mode: 0o755 });
  const PATH = `${programs}${path.delimiter}${process.env['PATH']}`;

  const { code, stdout } = await verify([server.url, '--only', 'mcpc'], ADA, { PATH });

  expect(stdout).toMatch(
    /✗ mcpc: connects\n +exit code 7:[^]*Bearer <token>[^]*FAILED: 0 of 4 checks passed/,
  );
  expect(stdout).not.toContain(ADA);
  expect(code).toBe(1);
});

testInCi('the official suite runs over TLS too, and asks a server by its name', async () => {
  const hosts = new Set<string | undefined>();
  const certificate = createSelfSignedCertificate('localhost');
  const front = createServer(certificate, (incoming, answer) => {
    const { method, headers, url = '' } = incoming;
    hosts.add(headers.host);
    const target = new URL(url.replace(/^\/app/, ''), server.url);
    const outgoing = request(target, { method, headers, agent: false }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers).flushHeaders();
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  await once(front.listen(0, 'localhost'), 'listening');
  const { port } = front.address() as AddressInfo;
  const ca = path.join(await sandbox.folder({ 'ca.pem': certificate.cert }), 'ca.pem');

  const { code, stdout } = await verify([`https://localhost:${port}/app`, '--only', 'conformance'], ADA, {
    NODE_EXTRA_CA_CERTS: ca,
  });
  front.close();
  front.closeAllConnections();

  expect(stdout).toMatch(/✓ conformance: [^]*\nOK: (1\d) of \1 checks passed/);
  expect(code).toBe(0);
  expect([...hosts]).toEqual([`localhost:${port}`]);
});

testInCi('npx is the one of the npm that runs it, and on Windows no script of cmd.exe', async () => {
  const npm = await sandbox.folder({
    'npx-cli.js': "console.log('the npx beside npm'); process.exitCode = 7;",
    // It is asked for a Node, too.
    'npm-cli.js':
      "require('node:child_process').spawnSync('npm', process.argv.slice(2), { stdio: 'inherit' });",
  });
  const underNpm = { npm_execpath: path.join(npm, 'npm-cli.js') };

  const { stdout } = await verify([server.url, '--only', 'mcporter'], ADA, underNpm);

  expect(stdout).toMatch(/✗ mcporter: tools\n +exit code 7:\nthe npx beside npm\n/);
  expect(npmProgram('npx', { env: {}, platform: 'win32', node: String.raw`C:\nodejs\node.exe` })).toEqual([
    String.raw`C:\nodejs\node.exe`,
    String.raw`C:\nodejs\node_modules\npm\bin\npx-cli.js`,
  ]);
  expect(npmProgram('npm', { env: {}, platform: 'linux' })).toEqual(['npm']);
});

testInCi(
  'a program that is none checks nothing, which is no success; neither is a command line without an address',
  async () => {
    const none = await verify([server.url, '--only', 'nobody'], ADA);
    const nowhere = await verify(['nowhere'], ADA);

    expect([none.code, nowhere.code]).toEqual([1, 2]);
    expect(nowhere.stderr).toContain('npm run verify -- URL');
  },
);
