/** The files by which hosts run the server: systemd's own programs look at the unit, and what the others set is what there is. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openTokens } from '../../src/auth/tokens/open-tokens.ts';
import { parseConfig, VARIABLE_GROUPS } from '../../src/config/config.ts';
import { createSandbox, ROOT, waitForEnd } from '../support/process.ts';
import { createMemoryLog } from '../support/memory-log.ts';

const UNIT = 'mcp-auth-server.service';

/** The names of every variable. */
const VARIABLES = VARIABLE_GROUPS.flatMap((group) => Object.keys(group));

/** A file of the repository. */
const read = async (name: string): Promise<string> => readFile(path.join(ROOT, name), 'utf8');

/** A number behind a name. */
const numberAt = (text: string, name: string): number =>
  Number(new RegExp(`${name}[:=]\\s*'?(\\d+)`).exec(text)?.[1] ?? Number.NaN);

/** Describes what needs systemd's programs; without them the tests are skipped. */
const describeWithSystemd = chooseDescribe();

/** jest's `describe`, or the one that skips. */
function chooseDescribe(): typeof describe.skip {
  const { skip } = describe;
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return describe;
  } catch {
    process.stderr.write(
      `deploy/${UNIT} is not tested: systemd-analyze is missing (Debian: apt-get install systemd).\n`,
    );
    return skip;
  }
}

describeWithSystemd(`deploy/${UNIT}`, () => {
  const sandbox = createSandbox();

  /** Runs systemd-analyze on the unit, with this Node in the place of that of a package. */
  const analyze = async (...args: string[]) => {
    const unit = (await read(`deploy/${UNIT}`)).replace('/usr/bin/node', process.execPath);
    const cwd = await sandbox.folder({ [UNIT]: unit });
    const run = sandbox.spawn({ command: 'systemd-analyze', args: [...args, UNIT], cwd });
    const { code } = await waitForEnd(run, { timeoutMs: 30_000 });
    const output = run.stdout() + run.stderr();
    await sandbox.close();
    return { code, output };
  };

  test('is a unit that systemd takes as it is', async () => {
    expect(await analyze('--man=no', 'verify')).toEqual({ code: 0, output: '' });
  });

  test('leaves the server nothing of the machine that it does not need', async () => {
    // The overall exposure, from 0 to 100; a unit without any hardening has 96.
    const { code, output } = await analyze('security', '--offline=true', '--no-pager', '--threshold=15');

    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  });

  test('names variables that there are, and gives the server longer to end than it takes', async () => {
    const text = await read(`deploy/${UNIT}`);

    const names = [...text.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(2);
    expect(VARIABLES).toEqual(expect.arrayContaining(names));
    // The default grace period, a delay of 5 and two seconds for connections that still come.
    expect(numberAt(text, 'TimeoutStopSec')).toBeGreaterThan(17);
  });
});

/** What Render generates: 32 random bytes in base64. */
const generate = (): string => randomBytes(32).toString('base64');

describe('render.yaml', () => {
  test('sets variables that there are, and gives the server longer to end than it takes', async () => {
    const text = await read('render.yaml');

    const names = [...text.matchAll(/- key: (\w+)/g)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['PUBLIC_URL', 'AUTH_TOKENS', 'SERVER_SECRET']));
    expect(VARIABLES).toEqual(expect.arrayContaining(names));
    expect(numberAt(text, 'maxShutdownDelaySeconds')).toBeGreaterThan(17);
  });

  test('has the host make up values that the server takes', async () => {
    const [token, secret] = [generate(), generate()];
    const { log } = createMemoryLog();

    const config = parseConfig({ RENDER: 'true', PORT: '10000', AUTH_TOKENS: token, SERVER_SECRET: secret,
      PUBLIC_URL: 'https://my-app.onrender.com', TRUST_PROXY: 'true' }); // prettier-ignore
    if (!config.auth.enabled) throw new Error('Authentication is off.');
    const { verifier } = await openTokens({ source: config.auth.tokens, allowOneRunToken: false, log });
    const verdict = await verifier.verify(token, {});

    expect(verdict).toMatchObject({ grant: { user: { userId: 'owner' } } });
    expect(config.sharing.secrets).toHaveLength(1);
    expect(config.signIn).toBeDefined();
  });
});

describe.each(['compose.yaml', 'compose.scale.yaml'])('%s', (name) => {
  test('gives the server every variable of .env, but for where it listens in its container', async () => {
    const text = await read(name);

    expect(text).toMatch(/env_file:\n +- path: \.env\n +required: false\n/);
    expect(text).toMatch(/HOST: 0\.0\.0\.0\n +PORT: '8000'\n/);
    // A name alone is not enough: with a database, or an identity provider, there is no file to name.
    expect(text).toContain('TOKENS_FILE: ${TOKENS_FILE-/tokens/tokens.json}');
  });
});

describe('the profile tls of compose.yaml', () => {
  test('has Caddy in front, and the server reached through it alone', async () => {
    const text = await read('compose.yaml');
    const caddy = await read('deploy/compose.Caddyfile');

    expect(text).toMatch(/profiles: \[tls\]/);
    // With DOMAIN the port is that of this machine only, the server knows its address, and the proxy is believed.
    expect(text).toContain("'${DOMAIN:+127.0.0.1:}8000:8000'");
    expect(text).toContain('PUBLIC_URL: ${PUBLIC_URL:-${DOMAIN:+https://${DOMAIN}}}');
    expect(text).toContain('TRUST_PROXY: ${TRUST_PROXY:-${DOMAIN:+true}}');
    expect(existsSync(path.join(ROOT, 'deploy/compose.Caddyfile'))).toBe(true);
    expect(text).toContain('./deploy/compose.Caddyfile:/etc/caddy/Caddyfile:ro');
    expect(caddy).toContain('mcp:8000');
    expect(caddy).not.toContain('trusted_proxies');
  });

  test('without DOMAIN is not there: the variables that compose leaves empty count as not set', () => {
    expect(parseConfig({ PUBLIC_URL: '', TRUST_PROXY: '' }).origin).toEqual(parseConfig({}).origin);
  });
});

test.each(['nginx-path.conf', 'nginx-site.conf', 'nginx.conf'])(
  'every location of %s that hands a request on says where it comes from, whatever the client says',
  async (name) => {
    const text = await read(`deploy/${name}`);
    const handing = text.split(/^ *location /m).filter((location) => location.includes('proxy_pass '));

    expect(handing.length).toBeGreaterThan(0);
    expect(handing.filter((location) => !location.includes('X-Forwarded-For $remote_addr;'))).toEqual([]);
  },
);
