/** Opens pages of a test server in a real headless Chromium, and collects the page's errors. Tests are skipped when there is no browser. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, describe, jest } from '@jest/globals';
import type Axe from 'axe-core';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { findFreePort } from './free-port.ts';
import { ADA, startTestServer, type TestServer, type TestServerOptions } from './start-server.ts';

/** A server with its page, and the one browser page that a test has open. */
export interface PageFixture {
  server(): TestServer;
  /** The address under which the browser reaches the server. */
  url(): string;
  /** Opens the page in a fresh context. */
  open(options?: BrowserContextOptions, fragment?: string): Promise<Page>;
  /** Opens the page and enters a token. */
  signIn(token?: string, options?: BrowserContextOptions): Promise<Page>;
  /** Console errors and warnings, uncaught exceptions and violations of the content security policy since the page was opened. */
  complaints(): readonly string[];
  /** The addresses that the page has requested. */
  requests(): readonly string[];
}

/** The options of a fixture. */
export interface FixtureOptions extends TestServerOptions {
  /** An origin without a port, under which the browser reaches the server; with the port it becomes PUBLIC_URL. */
  readonly origin?: string;
  /** The path of PUBLIC_URL. */
  readonly basePath?: string;
}

/** Where Chromium is usually installed. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const EXECUTABLE = PLACES.find((place) => existsSync(place));

const MISSING =
  'Chromium is missing, and the tests of the page need it (Debian: apt-get install --no-install-recommends chromium).';

// On a busy machine, three audits of a page took longer than the usual timeout of tests.
jest.setTimeout(60_000);

/** Describes tests that need a browser. Without one they are skipped with a message, and fail in CI. */
export const describeInBrowser = chooseDescribe();

/** jest's `describe`, or the one that skips. */
function chooseDescribe(): typeof describe.skip {
  if (EXECUTABLE !== undefined) return describe;
  if (process.env['CI'] === 'true') throw new Error(MISSING);
  process.stderr.write(`${MISSING} They are skipped.\n`);
  const { skip } = describe;
  return skip;
}

/** Starts the server and the browser before the tests of a block; each opened page has a fresh context. */
export function createPageFixture({ origin, basePath = '', ...options }: FixtureOptions = {}): PageFixture {
  let browser: Browser;
  let server: TestServer;
  let context: BrowserContext | undefined;
  let url = '';
  let complaints: string[] = [];
  let requests: string[] = [];

  beforeAll(async () => {
    const port = origin === undefined ? '0' : String(await findFreePort());
    const publicUrl = origin && { PUBLIC_URL: `${origin}:${port}${basePath}` };
    server = await startTestServer({
      ...options,
      env: { AUTH_FAILURES_PER_MINUTE: '1000', ...options.env, PORT: port, ...publicUrl },
    });
    url = origin === undefined ? server.url : `${origin}:${port}${basePath}`;
    browser = await chromium.launch({
      executablePath: EXECUTABLE ?? '',
      args: [...FLAGS, `--host-resolver-rules=MAP *.example 127.0.0.1`],
    });
  });
  afterEach(async () => context?.close());
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const open = async (contextOptions?: BrowserContextOptions, fragment = ''): Promise<Page> => {
    context = await browser.newContext(contextOptions);
    const page = await context.newPage();
    [complaints, requests] = [[], []];
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    // Violations of the policy are reported as console errors, too.
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(`${url}/${fragment}`);
    return page;
  };
  return {
    server: () => server,
    url: () => url,
    open,
    async signIn(token = ADA, contextOptions) {
      const page = await open(contextOptions);
      await page.getByLabel('Your token').fill(token);
      await page.getByRole('button', { name: 'Use token' }).click();
      await page.locator('#workbench').waitFor();
      return page;
    },
    complaints: () => complaints,
    requests: () => requests,
  };
}

/** No sandbox, since containers and CI run as root; and no requests that the browser makes by itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The accessibility rules that a page breaks, each with the elements that break it. */
export async function findBarriers(page: Page): Promise<string[]> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof Axe };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
  });
}
