/** The sign-in page in a browser, without scripts: the token, Allow, and back to the client; Deny; a wrong token; on every screen. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPageFixture, describeInBrowser, findBarriers } from '../support/browser.ts';
import { testInCi } from '../support/in-ci.ts';
import { askFor, newSecret, register } from '../support/sign-in.ts';
import { ADA } from '../support/start-server.ts';

const NARROW = { width: 390, height: 844 };
const WIDE = { width: 1280, height: 800 };

describeInBrowser('the sign-in page', () => {
  const fixture = createPageFixture({ env: { SERVER_SECRET: newSecret() } });
  let callback: Server;
  let redirect = '';
  beforeAll(async () => {
    callback = createServer((_req, res) => res.end('Back.')).listen(0, '127.0.0.1');
    await once(callback, 'listening');
    redirect = `http://127.0.0.1:${(callback.address() as AddressInfo).port}/callback`;
  });
  afterAll(() => void callback.close());

  /** The address that a client sends its user to. */
  const addressOf = async (): Promise<string> => {
    const { client_id: id } = await register(fixture.url(), {
      redirect_uris: [redirect],
      client_name: 'A client',
    });
    const { parameters } = askFor(fixture.url(), String(id), { redirect_uri: redirect });
    return `${fixture.url()}/authorize?${new URLSearchParams(parameters).toString()}`;
  };

  testInCi.each([
    { colorScheme: 'light', width: 'wide', viewport: WIDE },
    { colorScheme: 'dark', width: 'wide', viewport: WIDE },
    { colorScheme: 'light', width: 'narrow', viewport: NARROW },
    { colorScheme: 'dark', width: 'narrow', viewport: NARROW },
  ] as const)('has no barriers in $colorScheme on a $width screen, and fits it', async (screen) => {
    const page = await fixture.open({ ...screen, bypassCSP: true });
    await page.goto(await addressOf());
    const before = await findBarriers(page);
    await page.getByLabel('Your token for').fill('tok_wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();

    expect(before).toEqual([]);
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
  });

  testInCi('is told of on the page at /, which offers the bare address first', async () => {
    const page = await fixture.open();
    await page.goto(`${fixture.url()}/`);

    const first = page.locator('#connect details').first();
    expect(await first.locator('summary').textContent()).toContain('Claude, ChatGPT and others that sign in');
    expect(await first.locator('pre').innerText()).toBe(`${fixture.url()}/mcp`);
    expect(await page.locator('.facts dd').first().innerText()).toMatch(
      /a token: Authorization.*, or sign in$/,
    );
  });

  test('takes the token by keyboard and leads back to the client, without scripts', async () => {
    const page = await fixture.open({ javaScriptEnabled: false });
    await page.goto(await addressOf());

    // The browser moves the focus a moment after the page is there.
    await page.locator('input:focus').waitFor();
    await page.keyboard.type(ADA);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/callback\?code=mcp_ac_/);

    expect(new URL(page.url()).searchParams.get('iss')).toBe(fixture.url());
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi('shows why a token is not taken, and takes the right one then', async () => {
    const page = await fixture.open();
    await page.goto(await addressOf());

    await page.getByLabel('Your token for').fill('tok_wrong');
    await page.getByRole('button', { name: 'Allow' }).click();
    const words = await page.getByRole('alert').textContent();
    await page.getByLabel('Your token for').fill(ADA);
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(/\/callback\?code=/);

    expect(words).toContain('The token is unknown to this server.');
  });

  testInCi('leads back without a token when it is denied', async () => {
    const page = await fixture.open();
    await page.goto(await addressOf());

    await page.getByRole('button', { name: 'Deny' }).click();
    await page.waitForURL(/\/callback\?error=access_denied/);

    expect(fixture.complaints()).toEqual([]);
  });
});
