/** The examples of `deploy/` keep to what the server needs of whoever stands in front of it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { VARIABLE_GROUPS } from '../../src/config/config.ts';
import { ROOT } from '../support/process.ts';

/** The text of an example. */
const read = async (name: string): Promise<string> => readFile(path.join(ROOT, 'deploy', name), 'utf8');

/** The number behind a name, or behind the value of a variable. */
function numberAt(text: string, name: string): number {
  return Number(new RegExp(`${name}(?:: |, value: )'?(\\d+)`).exec(text)?.[1] ?? Number.NaN);
}

describe('kubernetes.yaml', () => {
  test('gives a pod longer to end than it takes', async () => {
    const text = await read('kubernetes.yaml');

    const delay = numberAt(text, 'SHUTDOWN_DELAY_SECONDS');
    const grace = numberAt(text, 'SHUTDOWN_GRACE_SECONDS');
    // Two seconds more are for connections that still come.
    expect(numberAt(text, 'terminationGracePeriodSeconds')).toBeGreaterThan(delay + 2 + grace);
    // Missed once, seen with the second.
    expect(delay).toBeGreaterThan(2 * numberAt(text, 'periodSeconds'));
  });

  test('sets variables that there are', async () => {
    const text = await read('kubernetes.yaml');

    const names = [...text.matchAll(/(?:name: |--from-file=)([A-Z_]+)\b/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(4);
    expect(VARIABLE_GROUPS.flatMap((group) => Object.keys(group))).toEqual(expect.arrayContaining(names));
  });
});

describe('compose.scale.yaml', () => {
  test('sets variables that there are, and gives a server longer to end than it takes', async () => {
    const text = await readFile(path.join(ROOT, 'compose.scale.yaml'), 'utf8');

    const names = [...text.matchAll(/^ {4}([A-Z_]+):/gm)].map(([, name]) => name);
    expect(names).toEqual(expect.arrayContaining(['SERVER_SECRET', 'REDIS_URL', 'TRUST_PROXY']));
    expect(VARIABLE_GROUPS.flatMap((group) => Object.keys(group))).toEqual(expect.arrayContaining(names));
    const delay = numberAt(text, 'SHUTDOWN_DELAY_SECONDS');
    // With the default of SHUTDOWN_GRACE_SECONDS, and two seconds for connections that still come.
    expect(numberAt(text, 'stop_grace_period')).toBeGreaterThan(delay + 2 + 10);
  });

  test('has Caddy send each of its servers the next request', async () => {
    const [compose, caddy] = [
      await readFile(path.join(ROOT, 'compose.scale.yaml'), 'utf8'),
      await read('scale.Caddyfile'),
    ];

    const servers = [...compose.matchAll(/^ {2}(\w+): \*server$/gm)].map(([, name]) => `${name}:8000`);
    expect(servers).toHaveLength(3);
    expect(caddy).toContain(`reverse_proxy ${servers.join(' ')} {`);
    expect(caddy).toContain('lb_policy round_robin');
    expect(compose).toContain('./deploy/scale.Caddyfile:');
  });
});

test.each(['nginx.conf', 'haproxy.cfg', 'Caddyfile', 'scale.Caddyfile'])(
  '%s does not let clients say who they are',
  async (name) => {
    const text = await read(name);

    // Caddy replaces what a client sent unless it is told to trust it.
    const words = name.endsWith('Caddyfile')
      ? /trusted_proxies/
      : /\$proxy_add_x_forwarded_for|option forwardfor/;
    expect(text).not.toMatch(words);
  },
);
