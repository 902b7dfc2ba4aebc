/** The environment: every default, the rules of public mode, and that a bad value is named and never printed. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseConfig, parseStdioConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { type Environment, parseEnvironment, readEnvironment } from '../../src/config/environment.ts';
import { isLoopbackHost } from '../../src/config/network.ts';
import { PUBLIC_ADDRESS } from '../../src/config/value-types.ts';
import { adviseSecret } from '../../src/server/start-messages.ts';
import { createMemoryLog } from '../support/memory-log.ts';
import { createSandbox } from '../support/process.ts';

/** What is said about variables that cannot be used. */
function refusalOf(
  environment: Environment,
  parse: (environment: Environment) => unknown = parseConfig,
): string {
  try {
    parse(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('The environment was accepted.');
}

/** What a ConfigError says, or that there is none. */
function outcomeOf(parse: () => unknown): string {
  try {
    parse();
    return 'accepted';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

/** The lines of a refusal that name a variable each. */
function problemsOf(environment: Environment): string[] {
  const [head, ...lines] = refusalOf(environment).split('\n');
  expect(head).toBe('The configuration cannot be used:');
  return lines.map((line) => line.trim());
}

/** Secrets as `npm run token -- secret` prints them. */
const [SECRET, OTHER_SECRET] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];

describe('the defaults', () => {
  test('apply when nothing is set', () => {
    expect(parseConfig({})).toEqual({
      host: '127.0.0.1',
      port: 8000,
      publicMode: false,
      production: false,
      auth: {
        enabled: false,
        isSwitchedOff: false,
        isOpenToAll: false,
        tokens: { kind: 'file', path: 'tokens.json', named: false },
        weakTokens: 'allow',
        failuresPerMinute: 60,
      },
      origin: { hosts: [], origins: [], trustProxy: false },
      limits: {
        maxBodyBytes: 4_194_304,
        maxSessions: 10_000,
        maxSessionsPerUser: 100,
        callsPerMinute: 600,
        maxCallsPerUser: 50,
        sessionIdleMs: 1_800_000,
        maxConnections: 20_000,
        maxConnectionsPerAddress: 2_000,
      },
      sharing: { secrets: [], sessionMaxAgeMs: 604_800_000 },
      storage: { dialect: 'sqlite', file: 'data/server.db', isLostWithDeployment: false },
      metrics: { byUser: false },
      sseEnabled: true,
      keepAliveMs: 15_000,
      idleConnectionMs: 620_000,
      shutdownDelayMs: 0,
      shutdownGraceMs: 10_000,
      logAddresses: true,
      logLevel: 'info',
      own: {},
    });
  });

  test('apply for every variable that is empty or has only spaces', () => {
    const defaults = parseConfig({});

    for (const empty of ['', ' ', '\t\n']) {
      const environment = Object.fromEntries(knownVariables().map((name) => [name, empty]));
      expect(parseConfig(environment)).toEqual(defaults);
    }
  });

  test('do not depend on other variables', () => {
    const environment = { PATH: '/bin', port: '1', API_TOKEN: 'tok', DEBUG: '*' };

    expect(parseConfig(environment)).toEqual(parseConfig({}));
  });
});

describe('a setting', () => {
  test('of every kind is parsed, with seconds as milliseconds', () => {
    const config = parseConfig({
      HOST: 'localhost',
      PORT: '9000',
      AUTH_ENABLED: 'true',
      TOKENS_FILE: '/etc/my tokens.json',
      PUBLIC_URL: 'https://my-app.example',
      ALLOWED_HOSTS: 'other.example:8443, [::2]:80',
      ALLOWED_ORIGINS: 'https://page.example, http://page.example:8080',
      TRUST_PROXY: 'true',
      SSE_ENABLED: 'false',
      SSE_KEEPALIVE_SECONDS: '5',
      SESSION_IDLE_SECONDS: '60',
      MAX_SESSIONS: '7',
      MAX_SESSIONS_PER_USER: '3',
      CALLS_PER_MINUTE: '0',
      MAX_CALLS_IN_FLIGHT_PER_USER: '6',
      MAX_BODY_BYTES: '2048',
      AUTH_FAILURES_PER_MINUTE: '9',
      SERVER_SECRET: ` ${SECRET} , ${OTHER_SECRET}`,
      SESSION_MAX_AGE_SECONDS: '86400',
      DATABASE_URL: 'postgres://ada:secret@db.example/mcp',
      METRICS_TOKEN: 'scrape-me',
      METRICS_USERS: 'yes',
      OAUTH_CLIENT_HOSTS: 'client.example, localhost:9443,*',
      OAUTH_REDIRECT_URIS: 'https://client.example/cb?a=1, app://callback',
      OAUTH_REGISTRATION: 'no',
      OAUTH_ACCESS_SECONDS: '60',
      OAUTH_REFRESH_SECONDS: '0',
      KEEP_ALIVE_SECONDS: '70',
      SHUTDOWN_DELAY_SECONDS: '4',
      SHUTDOWN_GRACE_SECONDS: '2',
      LOG_LEVEL: 'warn',
    });

    expect(config).toEqual({
      host: 'localhost',
      port: 9000,
      publicMode: false,
      production: false,
      auth: {
        enabled: true,
        isSwitchedOff: false,
        isOpenToAll: false,
        tokens: { kind: 'file', path: '/etc/my tokens.json', named: true },
        weakTokens: 'warn',
        failuresPerMinute: 9,
      },
      signIn: {
        secrets: [SECRET, OTHER_SECRET],
        clientHosts: ['client.example', 'localhost:9443', '*'],
        redirectUris: ['https://client.example/cb?a=1', 'app://callback'],
        canRegister: false,
        canStepUp: true,
        accessMs: 60_000,
        refreshMs: 0,
      },
      origin: {
        publicUrl: 'https://my-app.example',
        hosts: ['other.example:8443', '[::2]:80', 'my-app.example'],
        origins: ['https://page.example', 'http://page.example:8080', 'https://my-app.example'],
        trustProxy: true,
      },
      limits: {
        maxBodyBytes: 2048,
        maxSessions: 7,
        maxSessionsPerUser: 3,
        callsPerMinute: 0,
        maxCallsPerUser: 6,
        sessionIdleMs: 60_000,
        maxConnections: 20_000,
        maxConnectionsPerAddress: 2_000,
      },
      sharing: { secrets: [SECRET, OTHER_SECRET], sessionMaxAgeMs: 86_400_000 },
      storage: { dialect: 'postgres', url: 'postgres://ada:secret@db.example/mcp' },
      keepsUse: true,
      metrics: { token: 'scrape-me', byUser: true },
      sseEnabled: false,
      keepAliveMs: 5000,
      idleConnectionMs: 70_000,
      shutdownDelayMs: 4000,
      shutdownGraceMs: 2000,
      logAddresses: true,
      logLevel: 'warn',
      own: {},
    });
  });

  test.each([
    [{}, 'allow'],
    [{ PUBLIC_URL: 'https://my-app.example' }, 'warn'],
    [{ NODE_ENV: 'production' }, 'refuse'],
    [{ HOST: '0.0.0.0' }, 'refuse'],
    [{ NODE_ENV: 'production', ALLOW_WEAK_TOKENS: 'true' }, 'warn'],
    [{ ALLOW_WEAK_TOKENS: 'true' }, 'allow'],
  ])('%j: tokens that are no secret are met with %s', (environment, weakTokens) => {
    expect(parseConfig(environment).auth.weakTokens).toBe(weakTokens);
  });

  test('may have spaces around it', () => {
    expect(parseConfig({ PORT: ' 9000 ', LOG_LEVEL: 'debug\n' })).toMatchObject({
      port: 9000,
      logAddresses: true,
      logLevel: 'debug',
    });
  });

  test('cannot be changed afterwards, at any level', () => {
    const config = parseConfig({ ALLOWED_HOSTS: 'a.example', ALLOWED_ORIGINS: 'https://a.example' });

    expect(unfrozenPaths(config)).toEqual([]);
    expect(() => Object.assign(config.auth, { enabled: false })).toThrow(/read only/);
    expect(() => (config.origin.origins as string[]).push('https://eve.example')).toThrow(/not extensible/);
  });
});

describe('public mode', () => {
  test.each<{ environment: Environment; host: string; production: boolean }>([
    { environment: { NODE_ENV: 'production' }, host: '0.0.0.0', production: true },
    { environment: { NODE_ENV: 'production', HOST: '127.0.0.1' }, host: '127.0.0.1', production: true },
    { environment: { REPL_ID: 'abc' }, host: '0.0.0.0', production: false },
    { environment: { REPL_ID: 'abc', REPLIT_DEPLOYMENT: '1' }, host: '0.0.0.0', production: true },
    { environment: { REPLIT_DEPLOYMENT: '1' }, host: '0.0.0.0', production: true },
    { environment: { HOST: '0.0.0.0' }, host: '0.0.0.0', production: false },
    { environment: { HOST: '::' }, host: '::', production: false },
    { environment: { HOST: '192.168.1.7' }, host: '192.168.1.7', production: false },
    { environment: { HOST: 'my-machine.local' }, host: 'my-machine.local', production: false },
    { environment: { HOST: 'localhost.evil.example' }, host: 'localhost.evil.example', production: false },
    { environment: { HOST: '127.0.0.1.evil.example' }, host: '127.0.0.1.evil.example', production: false },
    { environment: { HOST: '127.example' }, host: '127.example', production: false },
    { environment: { HOST: '::ffff:192.168.1.7' }, host: '::ffff:192.168.1.7', production: false },
  ])('is on for $environment, with authentication', ({ environment, host, production }) => {
    const config = parseConfig(environment);

    expect(config).toMatchObject({ publicMode: true, host, production, auth: { enabled: true } });
  });

  test.each<{ environment: Environment; host: string }>([
    { environment: {}, host: '127.0.0.1' },
    { environment: { NODE_ENV: 'development' }, host: '127.0.0.1' },
    { environment: { NODE_ENV: 'test' }, host: '127.0.0.1' },
    { environment: { HOST: '127.0.0.1' }, host: '127.0.0.1' },
    { environment: { HOST: '127.8.9.10' }, host: '127.8.9.10' },
    { environment: { HOST: 'localhost' }, host: 'localhost' },
    { environment: { HOST: 'LocalHost' }, host: 'LocalHost' },
    { environment: { HOST: '::1' }, host: '::1' },
    // Nobody can listen on an address in brackets, which belong to URLs.
    { environment: { HOST: '[::1]' }, host: '::1' },
  ])('is off for $environment, and authentication with it', ({ environment, host }) => {
    const config = parseConfig(environment);

    expect(config).toMatchObject({ publicMode: false, host, production: false, auth: { enabled: false } });
  });

  test.each<Environment>([
    { NODE_ENV: 'production' },
    { REPL_ID: 'abc' },
    { HOST: '0.0.0.0' },
    { HOST: '::' },
  ])('refuses authentication off for %j, and says what to do', (environment) => {
    const refusal = refusalOf({ ...environment, AUTH_ENABLED: 'false' });

    expect(refusal).toContain('AUTH_ENABLED');
    expect(refusal).toContain('ALLOW_PUBLIC_WITHOUT_AUTH=true');
  });

  test('allows AUTH_ENABLED=false with ALLOW_PUBLIC_WITHOUT_AUTH=true', () => {
    const config = parseConfig({
      NODE_ENV: 'production',
      AUTH_ENABLED: 'false',
      ALLOW_PUBLIC_WITHOUT_AUTH: 'true',
    });

    expect(config).toMatchObject({ publicMode: true, auth: { enabled: false } });
  });

  test('keeps authentication with ALLOW_PUBLIC_WITHOUT_AUTH alone, or with its value false', () => {
    expect(parseConfig({ HOST: '0.0.0.0', ALLOW_PUBLIC_WITHOUT_AUTH: 'true' }).auth.enabled).toBe(true);
    expect(() =>
      parseConfig({ HOST: '0.0.0.0', AUTH_ENABLED: 'false', ALLOW_PUBLIC_WITHOUT_AUTH: 'false' }),
    ).toThrow(ConfigError);
  });

  test('is not needed for authentication: on loopback AUTH_ENABLED decides', () => {
    expect(parseConfig({ AUTH_ENABLED: 'true' }).auth.enabled).toBe(true);
    expect(parseConfig({ AUTH_ENABLED: 'false' }).auth.enabled).toBe(false);
  });
});

describe('a host', () => {
  test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.255.0.9', '::1', '[::1]'])(
    '%s is this machine',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  test.each([
    '0.0.0.0',
    '::',
    '[::]',
    '10.0.0.1',
    '127.0.0.1.example',
    '127.1',
    'localhost.example',
    '::ffff:127.0.0.1',
    '',
  ])('%s may be reached by others', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});

describe('a switch', () => {
  test.each(['true', 'TRUE', 'True', '1', 'yes', 'Yes'])('is on for %s', (word) => {
    expect(parseConfig({ TRUST_PROXY: word }).origin.trustProxy).toBe(true);
  });

  test.each(['false', 'FALSE', '0', 'no', 'NO'])('is off for %s', (word) => {
    expect(parseConfig({ SSE_ENABLED: word }).sseEnabled).toBe(false);
  });

  test.each(['AUTH_ENABLED', 'ALLOW_PUBLIC_WITHOUT_AUTH', 'TRUST_PROXY', 'SSE_ENABLED'])(
    'called %s refuses every other word, so that a typo decides nothing',
    (name) => {
      for (const word of ['flase', 'on', 'off', 'disabled', '2', 'null', 'y', 'true,']) {
        expect(problemsOf({ [name]: word })).toEqual([`${name} must be true or false`]);
      }
    },
  );
});

describe('one pair of quotes around a value', () => {
  test.each([
    [{ AUTH_ENABLED: '"true"' }, { auth: { enabled: true } }],
    [{ PORT: " '9000' " }, { port: 9000 }],
    [{ AUTH_TOKENS: '\'{"tok":{}}\'' }, { auth: { tokens: { text: '{"tok":{}}' } } }],
    [{ AUTH_ENABLED: '""' }, { auth: { enabled: false } }],
  ])('is taken off, as a shell does: %j', (environment, expected) => {
    expect(parseConfig(environment)).toMatchObject(expected);
  });

  test('is not one when they differ or when there are two', () => {
    for (const value of ['"true\'', '"', '""true""'])
      expect(problemsOf({ AUTH_ENABLED: value })).toEqual(['AUTH_ENABLED must be true or false']);
  });
});

describe('a whole number', () => {
  const bounds = [
    { name: 'PORT', min: 0, max: 65_535 },
    { name: 'SSE_KEEPALIVE_SECONDS', min: 1, max: 3600 },
    { name: 'SESSION_IDLE_SECONDS', min: 1, max: 604_800 },
    { name: 'MAX_SESSIONS', min: 1, max: 1_000_000 },
    { name: 'MAX_SESSIONS_PER_USER', min: 1, max: 1_000_000 },
    { name: 'CALLS_PER_MINUTE', min: 0, max: 1_000_000 },
    { name: 'MAX_CALLS_IN_FLIGHT_PER_USER', min: 1, max: 1_000_000 },
    { name: 'MAX_BODY_BYTES', min: 1024, max: 268_435_456 },
    { name: 'AUTH_FAILURES_PER_MINUTE', min: 1, max: 1_000_000 },
    { name: 'KEEP_ALIVE_SECONDS', min: 1, max: 3600 },
    { name: 'SHUTDOWN_DELAY_SECONDS', min: 0, max: 3600 },
    { name: 'SHUTDOWN_GRACE_SECONDS', min: 0, max: 3600 },
  ];

  test.each(bounds)('$name is taken from $min to $max', ({ name, min, max }) => {
    for (const value of [min, max]) expect(() => parseConfig({ [name]: String(value) })).not.toThrow();
  });

  test.each(bounds)('$name is refused outside of $min to $max, and when it is none', ({ name, min, max }) => {
    const values = [min - 1, max + 1, 1e300, 0.5].map(String);

    for (const value of [
      ...values,
      '-1',
      '+5',
      '1e3',
      '0x10',
      '5s',
      'NaN',
      'Infinity',
      '１２',
      '1 0',
      '1_000',
    ]) {
      expect(problemsOf({ [name]: value })).toEqual([`${name} must be a whole number from ${min} to ${max}`]);
    }
  });
});

describe('a bad value', () => {
  const WHAT_AN_ENDPOINT_IS_NOT =
    'must be the address of the whole server: leave out /mcp or /sse at its end';
  const WHAT_A_PATH_IS_NOT =
    'must not have a path that this server uses itself, such as /tools or /health: put it under another one, such as https://my-app.example/mcp-app';
  const WHAT_AN_ADDRESS_IS =
    'must be an address such as https://my-app.example or https://my-app.example/mcp-app';
  const WHAT_ORIGINS_ARE =
    'must be whole origins such as https://my-page.example or chrome-extension://abc, without a path or a wildcard, separated by commas';
  const WHAT_A_HOST_IS = 'must be host names with or without a port, separated by commas';

  test.each([
    { name: 'HOST', value: 'http://bad-host-value', allowed: 'must be a host name or an IP address' },
    { name: 'HOST', value: 'bad host value', allowed: 'must be a host name or an IP address' },
    { name: 'HOST', value: '[bad-host-value]', allowed: 'must be a host name or an IP address' },
    { name: 'LOG_LEVEL', value: 'verbose', allowed: 'must be one of debug, info, warn, error, silent' },
    { name: 'LOG_LEVEL', value: 'fatal', allowed: 'must be one of debug, info, warn, error, silent' },
    { name: 'PUBLIC_URL', value: 'bad-origin.example', allowed: WHAT_AN_ADDRESS_IS },
    { name: 'PUBLIC_URL', value: 'https://bad-origin.example/mcp', allowed: WHAT_AN_ENDPOINT_IS_NOT },
    { name: 'PUBLIC_URL', value: 'https://bad-origin.example/app/sse/', allowed: WHAT_AN_ENDPOINT_IS_NOT },
    ...['/tools', '/health/', '/admin/api', '/authorize/style.css', '/connect.mcpb'].map((suffix) => ({
      name: 'PUBLIC_URL',
      value: `https://bad-origin.example${suffix}`,
      allowed: WHAT_A_PATH_IS_NOT,
    })),
    ...['//', '/a//b', '/a?x', '/a#x', '/a/../b', '/.', '/{a}', '/*', '/:a', '/a b', '/%2e%2e'].map(
      (suffix) => ({
        name: 'PUBLIC_URL',
        value: `https://bad-origin.example${suffix}`,
        allowed: WHAT_AN_ADDRESS_IS,
      }),
    ),
    { name: 'PUBLIC_URL', value: 'https://bad-origin.example\\mcp', allowed: WHAT_AN_ADDRESS_IS },
    { name: 'PUBLIC_URL', value: 'https://bad-origin.example?x', allowed: WHAT_AN_ADDRESS_IS },
    { name: 'PUBLIC_URL', value: 'https://bad-origin.example#x', allowed: WHAT_AN_ADDRESS_IS },
    { name: 'PUBLIC_URL', value: 'https://user:secret@bad-origin.example', allowed: WHAT_AN_ADDRESS_IS },
    { name: 'PUBLIC_URL', value: 'ftp://bad-origin.example', allowed: WHAT_AN_ADDRESS_IS },
    { name: 'PUBLIC_URL', value: 'https://bad-origin.example:99999', allowed: WHAT_AN_ADDRESS_IS },
    { name: 'PUBLIC_URL', value: 'https://*.bad-origin.example', allowed: WHAT_AN_ADDRESS_IS },
    ...[
      'https://ok.example,*',
      'https://*.bad.example',
      'chrome-extension://*',
      'null',
      'file://',
      'file:///bad',
      'https://a.example https://b.example',
      'chrome-extension://bad/path',
      'app://user@bad',
    ].map((value) => ({ name: 'ALLOWED_ORIGINS', value, allowed: WHAT_ORIGINS_ARE })),
    { name: 'ALLOWED_HOSTS', value: 'ok.example,https://bad.example', allowed: WHAT_A_HOST_IS },
    { name: 'ALLOWED_HOSTS', value: '*.bad.example', allowed: WHAT_A_HOST_IS },
    { name: 'ALLOWED_HOSTS', value: 'bad.example/path', allowed: WHAT_A_HOST_IS },
    { name: 'ALLOWED_HOSTS', value: 'bad.example:port', allowed: WHAT_A_HOST_IS },
    { name: 'ALLOWED_HOSTS', value: 'bad.example:99999', allowed: WHAT_A_HOST_IS },
    { name: 'ALLOWED_HOSTS', value: 'ok.example,256.1.1.1', allowed: WHAT_A_HOST_IS },
    // No URL has such a port, or such an address.
    { name: 'ALLOWED_HOSTS', value: 'bad.example:70000', allowed: WHAT_A_HOST_IS },
    { name: 'ALLOWED_HOSTS', value: '256.1.1.1', allowed: WHAT_A_HOST_IS },
  ])('$value of $name is named and not printed', ({ name, value, allowed }) => {
    expect(problemsOf({ [name]: value })).toEqual([`${name} ${allowed}`]);
  });

  test('is each path that the code of the routes names, as the path of PUBLIC_URL', async () => {
    const folder = path.join(import.meta.dirname, '../../src/http');
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'));
    const sources = await Promise.all(files.map((file) => readFile(path.join(folder, file), 'utf8')));
    const named = sources.flatMap((source) => source.match(/(?<=')\/(?!proc\/)[a-z][\w./-]*(?=')/g) ?? []);

    expect(named).toEqual(expect.arrayContaining(['/mcp', '/health', '/page/']));
    const accepted = named.filter((name) => PUBLIC_ADDRESS.safeParse(`https://ok.example${name}`).success);
    expect(accepted).toEqual([]);
  });

  test('is named together with all the others, once each', () => {
    const secret = 'tok_secret_0123456789';

    const problems = problemsOf({
      PORT: 'eighty',
      AUTH_ENABLED: 'maybe',
      AUTH_TOKENS: secret,
      ALLOWED_ORIGINS: 'nonsense-one,nonsense-two',
      LOG_LEVEL: 'loud',
    });

    expect(problems).toEqual([
      'PORT must be a whole number from 0 to 65535',
      expect.stringMatching(/^ALLOWED_ORIGINS must be whole origins/),
      'AUTH_ENABLED must be true or false',
      'LOG_LEVEL must be one of debug, info, warn, error, silent',
    ]);
  });

  test('is never printed, whatever it is and whichever variable has it', () => {
    // Shorter ones may be part of the words that say what is allowed.
    const value = fc
      .string({ minLength: 8, unit: 'grapheme-ascii' })
      .filter((text) => text.trim().length >= 8);

    fc.assert(
      fc.property(fc.constantFrom(...knownVariables()), value, (name, text) => {
        for (const parse of [parseConfig, parseStdioConfig]) {
          const refusal = outcomeOf(() => parse({ [name]: text }));

          expect(refusal).toMatch(refusal === 'accepted' ? '' : name);
          expect(refusal).not.toContain(text.trim());
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('the tokens', () => {
  test('come from AUTH_TOKENS, even when TOKENS_FILE is set too', () => {
    const { tokens } = parseConfig({ AUTH_TOKENS: ' {"tok":{}} ', TOKENS_FILE: 'my.json' }).auth;

    expect(tokens).toEqual({ kind: 'text', text: '{"tok":{}}' });
  });

  test('come from TOKENS_FILE', () => {
    expect(parseConfig({ TOKENS_FILE: 'my.json' }).auth.tokens).toEqual({
      kind: 'file',
      path: 'my.json',
      named: true,
    });
  });
});

describe('the allowed hosts and origins', () => {
  test('include those of PUBLIC_URL, as browsers and clients spell them', () => {
    const { origin } = parseConfig({ PUBLIC_URL: 'https://My-App.example:443/' });

    expect(origin).toEqual({
      publicUrl: 'https://my-app.example',
      hosts: ['my-app.example'],
      origins: ['https://my-app.example'],
      trustProxy: false,
    });
  });

  test('are those of the origin, where PUBLIC_URL has the path that a proxy adds', () => {
    const { origin } = parseConfig({ PUBLIC_URL: 'https://My-App.example/Tools/mcp-app/' });

    expect(origin).toEqual({
      publicUrl: 'https://my-app.example/Tools/mcp-app',
      hosts: ['my-app.example'],
      origins: ['https://my-app.example'],
      trustProxy: false,
    });
  });

  test('keep a port that is not the usual one', () => {
    const { origin } = parseConfig({ PUBLIC_URL: 'http://my-app.example:8080' });

    expect(origin.hosts).toEqual(['my-app.example:8080']);
    expect(origin.origins).toEqual(['http://my-app.example:8080']);
  });

  test('are compared in lower case, and empty items of a list are ignored', () => {
    const { origin } = parseConfig({
      ALLOWED_HOSTS: ' A.Example ,, b.example:80,',
      ALLOWED_ORIGINS: ',HTTPS://A.Example',
    });

    expect(origin.hosts).toEqual(['a.example', 'b.example:80']);
    expect(origin.origins).toEqual(['https://a.example']);
  });

  test('are any host in public mode when there is nothing to compare with, but no foreign origin', () => {
    expect(parseConfig({ NODE_ENV: 'production' }).origin).toEqual({
      hosts: 'any',
      origins: [],
      trustProxy: false,
    });
    expect(parseConfig({ NODE_ENV: 'production', ALLOWED_HOSTS: 'a.example' }).origin.hosts).toEqual([
      'a.example',
    ]);
  });
});

describe('on Replit', () => {
  test('the first domain of a deployment is the public address, all are let in, and the proxy is trusted', () => {
    const config = parseConfig({
      REPL_ID: 'abc',
      REPLIT_DOMAINS: 'My-App.replit.app, my-app.example',
      REPLIT_DEV_DOMAIN: 'dev.replit.dev',
    });

    expect(config.origin).toEqual({
      publicUrl: 'https://my-app.replit.app',
      hosts: ['my-app.replit.app', 'my-app.example'],
      origins: ['https://my-app.replit.app', 'https://my-app.example'],
      trustProxy: true,
    });
  });

  test('a workspace has its own domain', () => {
    const { origin } = parseConfig({ REPL_ID: 'abc', REPLIT_DEV_DOMAIN: 'dev.replit.dev' });

    expect(origin.publicUrl).toBe('https://dev.replit.dev');
  });

  test('PUBLIC_URL and TRUST_PROXY take precedence over the variables of Replit', () => {
    const { origin } = parseConfig({
      REPL_ID: 'abc',
      REPLIT_DOMAINS: 'my-app.replit.app',
      PUBLIC_URL: 'https://my-app.example',
      TRUST_PROXY: 'false',
    });

    expect(origin).toMatchObject({ publicUrl: 'https://my-app.example', trustProxy: false });
  });

  test('an invalid domain is ignored, as the operator has not set it', () => {
    const { origin } = parseConfig({ REPL_ID: 'abc', REPLIT_DOMAINS: 'not a domain/<script>' });

    expect(origin).toEqual({ hosts: 'any', origins: [], trustProxy: true });
  });
});

describe('the stdio server', () => {
  test.each<Environment>([{}, { NODE_ENV: 'production' }, { REPL_ID: 'abc' }, { HOST: '0.0.0.0' }])(
    'has authentication off for %j: it has no network',
    (environment) => {
      expect(parseStdioConfig(environment)).toEqual({
        auth: { enabled: false, tokens: { kind: 'file', path: 'tokens.json', named: false } },
        token: undefined,
        limits: { callsPerMinute: 600, maxCallsPerUser: 50 },
        logLevel: 'info',
        own: {},
      });
    },
  );

  test('ignores invalid variables of the network', () => {
    const foreign = { PUBLIC_URL: '/my-app', PORT: '/x.sock', NODE_ENV: 'staging', HOST: 'a b' };

    expect(parseStdioConfig(foreign)).toEqual(parseStdioConfig({}));
  });

  test('has it on when it is switched on, and takes its user from MCP_TOKEN', () => {
    const config = parseStdioConfig({
      AUTH_ENABLED: 'true',
      AUTH_TOKENS: '{"tok_a":{"userId":"ada"}}',
      MCP_TOKEN: 'tok_a',
      CALLS_PER_MINUTE: '60',
      LOG_LEVEL: 'ERROR',
    });

    expect(config).toEqual({
      auth: { enabled: true, tokens: { kind: 'text', text: '{"tok_a":{"userId":"ada"}}' } },
      token: 'tok_a',
      limits: { callsPerMinute: 60, maxCallsPerUser: 50 },
      logLevel: 'error',
      own: {},
    });
    expect(unfrozenPaths(config)).toEqual([]);
  });

  test('refuses bad values like the HTTP server', () => {
    const refusal = refusalOf({ AUTH_ENABLED: 'perhaps', LOG_LEVEL: 'noisy' }, parseStdioConfig);

    expect(refusal).toMatch(/AUTH_ENABLED must be .*\n {2}LOG_LEVEL must be /);
    expect(refusal).not.toMatch(/perhaps|noisy/);
  });
});

describe('the file .env', () => {
  const sandbox = createSandbox();
  const home = process.cwd();
  let folder: string;

  beforeEach(async () => {
    folder = await sandbox.folder();
    process.chdir(folder);
  });
  afterEach(async () => {
    process.chdir(home);
    delete process.env['DOTENV_OVERRIDE'];
    delete process.env['DOTENV_DEBUG'];
    await sandbox.close();
  });

  /** Writes the file. */
  async function write(...lines: string[]): Promise<void> {
    await writeFile(path.join(folder, '.env'), lines.join('\n'));
  }

  test('adds variables to the environment', async () => {
    await write(
      '# a comment',
      'PORT=9000',
      'AUTH_TOKENS=\'{"tok":{"userId":"me"}}\'',
      'PUBLIC_URL="https://a.example"',
    );

    const environment = readEnvironment({ LOG_LEVEL: 'warn' });

    expect(environment).toEqual({
      LOG_LEVEL: 'warn',
      PORT: '9000',
      AUTH_TOKENS: '{"tok":{"userId":"me"}}',
      PUBLIC_URL: 'https://a.example',
    });
  });

  test('does not override the environment, whatever the variables of dotenv say', async () => {
    await write('PORT=9000', 'HOST=0.0.0.0');
    process.env['DOTENV_OVERRIDE'] = 'true';

    expect(readEnvironment({ PORT: '8001' })).toEqual({ PORT: '8001', HOST: '0.0.0.0' });
  });

  test('applies where the environment has an empty value', async () => {
    await write('AUTH_ENABLED=true', 'PORT=9000');

    const config = parseConfig(readEnvironment({ AUTH_ENABLED: '', PORT: ' ' }));

    expect(config).toMatchObject({ port: 9000, auth: { enabled: true } });
  });

  test('changes neither the process nor the environment that was passed', async () => {
    await write('MCP_TEST_VARIABLE=1');
    const passed = Object.freeze({ PORT: '1' });

    readEnvironment(passed);

    expect(passed).toEqual({ PORT: '1' });
    expect(process.env['MCP_TEST_VARIABLE']).toBeUndefined();
  });

  test('may be missing or empty', async () => {
    const without = readEnvironment({ PORT: '1', HOST: undefined });
    await write('');

    expect(without).toEqual({ PORT: '1' });
    expect(readEnvironment({ PORT: '1' })).toEqual({ PORT: '1' });
  });

  test.each([
    ['UTF-16, as PowerShell writes it', Buffer.from('\uFEFFAUTH_ENABLED=true\r\n', 'utf16le')],
    ['UTF-8 with a byte order mark', Buffer.from('\uFEFFAUTH_ENABLED=true\n')],
  ])('is understood in %s', async (_encoding, bytes) => {
    await writeFile(path.join(folder, '.env'), bytes);

    expect(readEnvironment({})).toEqual({ AUTH_ENABLED: 'true' });
  });

  test.each([
    ['UTF-16 that does not say so', Buffer.from('AUTH_ENABLED=true\n', 'utf16le')],
    ['UTF-16 of the other order', Buffer.from('\uFEFFAUTH_ENABLED=true\n', 'utf16le').swap16()],
  ])('in %s is refused: ignored, it would leave authentication off', async (_encoding, bytes) => {
    await writeFile(path.join(folder, '.env'), bytes);

    expect(refusalOf({}, readEnvironment)).toBe(
      'The file .env in the working folder is not UTF-8 text. Save it as UTF-8.',
    );
  });

  test('is named in an error about a value that it holds, and only there', async () => {
    await write('PORT=eighty', 'LOG_LEVEL=loud', 'HOST=127.0.0.1');
    expect(refusalOf({}, parseTogether)).toMatch(
      /\nIn the file \.env in the working folder: PORT, LOG_LEVEL\.$/,
    );
    expect(refusalOf({ PORT: '1', LOG_LEVEL: 'quiet' }, parseTogether)).not.toContain('.env');
  });

  test('that cannot be read is an error that names it', async () => {
    await mkdir(path.join(folder, '.env'));

    expect(refusalOf({}, readEnvironment)).toBe(
      'The file .env in the working folder cannot be read; make it readable or remove it.',
    );
  });
});

/** Parses an environment together with the file. */
function parseTogether(environment: Environment): unknown {
  return parseEnvironment(environment, parseConfig);
}

/** The names of the variables that the configuration asks for. */
function knownVariables(): string[] {
  const asked = new Set<string>();
  const environment = new Proxy<Environment>(
    {},
    {
      get: (_target, name) => {
        asked.add(String(name));
      },
    },
  );
  parseConfig(environment);
  return [...asked];
}

/** Where in a value something is left that can be changed. */
function unfrozenPaths(value: unknown, place = 'config'): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.entries(value).flatMap(([key, item]) => unfrozenPaths(item, `${place}.${key}`));
  return Object.isFrozen(value) ? below : [place, ...below];
}

describe('SERVER_SECRET', () => {
  const WHAT_REDIS_IS =
    'must be redis://user:password@host:6379, rediss://… or unix:///path/to/socket; in its user name or password write % as %25, # as %23, / as %2F, ? as %3F and @ as %40';
  const WHAT_A_DATABASE_IS =
    'must name its database by a number, as in redis://host:6379/0 or unix:///path/to/socket?db=0, or not at all';

  test('may be in standard base64, as hosts generate it', () => {
    const bytes = randomBytes(64);

    const { sharing } = parseConfig({ SERVER_SECRET: bytes.toString('base64') });

    expect(sharing.secrets).toEqual([bytes.toString('base64url')]);
  });

  test.each([
    ['too short', SECRET.slice(0, -1)],
    ['a byte too short', randomBytes(31).toString('base64url')],
    ['of another alphabet', `${SECRET}+/`],
    ['with bits that say nothing', `${SECRET.slice(0, -1)}${SECRET.endsWith('B') ? 'C' : 'B'}`],
    ['a sentence', 'correct horse battery staple, and some more of it'],
    ['one of several', `${SECRET},short`],
    ['nothing but commas', ' , ,'],
  ])('that is %s ends the start with the command that makes one, and is not shown', (_what, value) => {
    const [problem, ...more] = problemsOf({ SERVER_SECRET: value });

    expect(more).toEqual([]);
    expect(problem).toMatch(/^SERVER_SECRET must be 32 or more random bytes in base64url/);
    expect(problem).toContain('npm run token -- secret');
    expect(problem).not.toContain(value.slice(0, 8));
  });

  test('is refused with a doubled secret or more than eight', () => {
    const nine = Array.from({ length: 9 }, () => randomBytes(32).toString('base64url'));

    const [twice, tooMany] = [[SECRET, SECRET], nine].map((values) =>
      problemsOf({ SERVER_SECRET: values.join(',') }),
    );

    expect(twice).toEqual([expect.stringMatching(/^SERVER_SECRET must not hold the same secret twice/)]);
    expect(tooMany).toEqual([expect.stringMatching(/^SERVER_SECRET must hold no more than 8 secrets/)]);
  });

  test('may have empty items, as other lists', () => {
    const { sharing } = parseConfig({ SERVER_SECRET: `,${SECRET}, ,${OTHER_SECRET},` });

    expect(sharing.secrets).toEqual([SECRET, OTHER_SECRET]);
  });

  test.each(['A'.repeat(43), Buffer.alloc(32, 7).toString('base64url')])(
    'that is no random one, such as %s, is taken with a warning that shows nothing of it',
    (value) => {
      const { log, lines } = createMemoryLog();

      for (const SERVER_SECRET of [`${SECRET},${value}`, SECRET])
        adviseSecret(parseConfig({ SERVER_SECRET }), log);

      expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
        ['warn', expect.stringMatching(/^SERVER_SECRET is not random.*npm run token -- secret/)],
      ]);
      expect(JSON.stringify(lines)).not.toContain(value.slice(0, 8));
    },
  );

  test('is required with REDIS_URL, which is not shown', () => {
    const url = 'redis://user:pa55word@redis.internal:6379/1';

    expect(parseConfig({ SERVER_SECRET: SECRET, REDIS_URL: url, REDIS_PREFIX: 'a:' }).sharing.redis).toEqual({
      url,
      prefix: 'a:',
    });
    expect(refusalOf({ REDIS_URL: url })).toMatch(/^REDIS_URL needs SERVER_SECRET.*npm run token -- secret/);
    expect(problemsOf({ REDIS_PREFIX: 'a b' })).toEqual([
      expect.stringMatching(/^REDIS_PREFIX must be letters/),
    ]);
  });

  test.each([
    'redis://redis.internal',
    'redis://[::1]:6379/',
    'REDIS://:pa%2555@redis.internal:6379/15',
    'rediss://default:p%40%23%2F@redis.internal:6379?ssl_cert_reqs=none',
    'unix:///run/my%20redis/redis.sock',
    'unix:///run/redis.sock?db=2',
  ])('may have a REDIS_URL beside it such as %s', (url) => {
    expect(parseConfig({ SERVER_SECRET: SECRET, REDIS_URL: url }).sharing.redis?.url).toBe(url);
  });

  test.each([
    ['http://pa55word', WHAT_REDIS_IS],
    ['redis:', WHAT_REDIS_IS],
    ['redis:///1', WHAT_REDIS_IS],
    ['redis://redis.internal:99999', WHAT_REDIS_IS],
    ['redis://u:pa55%@redis.internal', WHAT_REDIS_IS],
    ['redis://u:pa55%ff@redis.internal', WHAT_REDIS_IS],
    ['redis://u:pa55#word@redis.internal', WHAT_REDIS_IS],
    ['redis://u:55#word@redis.internal', WHAT_REDIS_IS],
    ['redis://u:55/word@redis.internal', WHAT_REDIS_IS],
    ['unix:', WHAT_REDIS_IS],
    ['unix:///', WHAT_REDIS_IS],
    ['unix://run/redis.sock', WHAT_REDIS_IS],
    ['unix:///run/100%.sock', WHAT_REDIS_IS],
    ['pa55word', WHAT_REDIS_IS],
    ['redis://redis.internal:6379/pa55', WHAT_A_DATABASE_IS],
    ['redis://redis.internal:6379/1.5', WHAT_A_DATABASE_IS],
    ['redis://redis.internal:6379/-1', WHAT_A_DATABASE_IS],
    ['redis://redis.internal:6379/0/1', WHAT_A_DATABASE_IS],
    ['unix:///run/redis.sock?db=pa55', WHAT_A_DATABASE_IS],
  ])('may have none such as %s, which is not shown', (url, allowed) => {
    expect(problemsOf({ SERVER_SECRET: SECRET, REDIS_URL: url })).toEqual([`REDIS_URL ${allowed}`]);
  });

  test('may be 64 hex digits, as openssl rand -hex 32 prints them', () => {
    const value = randomBytes(32).toString('hex');

    expect(parseConfig({ SERVER_SECRET: value }).sharing.secrets).toEqual([value]);
  });
});
