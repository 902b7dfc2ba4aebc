/** The page for everybody: light and dark, wide and narrow, by keyboard, without JavaScript, without tokens, elsewhere. */
import { expect, test } from '@jest/globals';
import { createPageFixture, describeInBrowser, findBarriers } from '../support/browser.ts';
import { leftToCi, testEach, testInCi } from '../support/in-ci.ts';
import { ADA } from '../support/start-server.ts';

const NARROW = { width: 390, height: 844 };
const WIDE = { width: 1280, height: 800 };

leftToCi(describeInBrowser)('the page for everybody', () => {
  const fixture = createPageFixture();

  testEach([
    { colorScheme: 'light', width: 'wide', viewport: WIDE },
    { colorScheme: 'dark', width: 'wide', viewport: WIDE },
    { colorScheme: 'light', width: 'narrow', viewport: NARROW },
    { colorScheme: 'dark', width: 'narrow', viewport: NARROW },
  ] as const)('has no barriers in $colorScheme on a $width screen, and fits it', async (screen) => {
    const page = await fixture.open(screen);
    await page.getByLabel('Your token').fill('tok_wrong');
    await page.getByLabel('Your token').press('Enter');
    await page.locator('.refusal').waitFor();
    const signedOut = await findBarriers(page);
    await page.getByLabel('Your token').fill(ADA);
    await page.getByLabel('Your token').press('Enter');
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.line').first().waitFor();
    await page.getByRole('button', { name: 'Call' }).click();
    await page.locator('.output pre').waitFor();
    const withResult = await findBarriers(page);
    await page.getByRole('button', { name: 'Echo' }).click();
    await page.getByRole('button', { name: 'Call' }).click();
    await page.getByText('Not sent').waitFor();
    const withProblem = await findBarriers(page);

    expect(signedOut).toEqual([]);
    expect(withResult).toEqual([]);
    expect(withProblem).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
  });

  testInCi('has its name on one line above the ways to its parts on the narrowest phone', async () => {
    const page = await fixture.open({ viewport: { width: 320, height: 640 } });

    const name = await page.locator('.brand').boundingBox();
    const ways = await page.getByRole('navigation').boundingBox();

    expect(name?.height).toBeLessThan(40);
    expect(ways?.x).toBeLessThan(32);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
  });

  testInCi('can be used with the keyboard alone', async () => {
    const page = await fixture.open();

    await page.keyboard.press('Tab');
    const first = await page.evaluate('document.activeElement.textContent');
    await page.getByText('Cursor', { exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.locator('#client-cursor[open]').waitFor();
    await page.getByLabel('Your token').focus();
    await page.keyboard.type(ADA);
    await page.keyboard.press('Enter');
    await page.locator('#who:focus').waitFor();
    const tools = page.locator('#tool-list button');
    await tools.nth(2).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Call' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('.output pre').waitFor();

    expect(first).toBe('Skip to the content');
    expect(await page.locator('.output').textContent()).toContain('"userId": "ada"');
  });

  test('tells without JavaScript what this is and how to connect', async () => {
    const page = await fixture.open({ javaScriptEnabled: false });

    await page.getByText('VS Code', { exact: true }).click();

    expect(await page.locator('#client-vscode pre').isVisible()).toBe(true);
    expect(await page.getByText('This part needs JavaScript').isVisible()).toBe(true);
    expect(await page.getByText('stands for the address').isVisible()).toBe(true);
    expect(await page.locator('#try-app').isHidden()).toBe(true);
    expect(await page.getByRole('button').count()).toBe(0);
  });
});

const withoutAuth = { env: { AUTH_ENABLED: 'false', SSE_ENABLED: 'false' } };

leftToCi(describeInBrowser)('the page without authentication and without SSE', () => {
  const fixture = createPageFixture(withoutAuth);

  testInCi('warns, needs no token, and opens a subscription for its stream', async () => {
    const page = await fixture.open();

    await page.getByRole('button', { name: 'Call' }).click();
    await page.locator('.output pre').waitFor();
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.line', { hasText: 'notifications/subscriptions/acknowledged' }).waitFor();

    expect(await page.getByRole('region', { name: 'Warning' }).innerText()).toContain(
      'Authentication is off.',
    );
    expect(await page.locator('#sign-in').isHidden()).toBe(true);
    expect(await page.locator('.output').innerText()).toBe('Hello, Anonymous!');
    expect(await findBarriers(page)).toEqual([]);
    expect(fixture.complaints()).toEqual([]);
  });
});

const elsewhere = { origin: 'http://mcp.example', env: { HOST: '0.0.0.0' } };

leftToCi(describeInBrowser)('the page at a public URL without HTTPS', () => {
  const fixture = createPageFixture(elsewhere);

  testInCi(
    'works there, shows that URL, and copies although browsers close the clipboard to it',
    async () => {
      const page = await fixture.signIn();

      await page.getByRole('button', { name: 'Call' }).click();
      await page.locator('.output pre').waitFor();
      await page.locator('#client-claude-desktop summary').click();
      await page.getByRole('button', { name: 'Copy configuration for Claude Desktop, through' }).click();
      await page.getByRole('button', { name: 'Copied configuration for Claude Desktop, through' }).waitFor();

      expect(fixture.url()).toMatch(/^http:\/\/mcp\.example:\d+$/);
      expect(await page.locator('#client-claude-desktop code').textContent()).toContain(
        `"${fixture.url()}/mcp"`,
      );
      expect(await page.locator('#client-claude-desktop code').textContent()).toContain('--allow-http');
      expect(fixture.complaints()).toEqual([]);
    },
  );
});
