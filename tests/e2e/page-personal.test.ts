/** A personal link in a real browser: whose page it is, what it leaves behind, and the clicks that it offers. */
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { CLIENT_IDS, renderClient } from '../../src/connect/clients.ts';
import { spellLink } from '../../src/connect/links.ts';
import { createPageFixture, describeInBrowser, findBarriers } from '../support/browser.ts';
import { leftToCi, testInCi } from '../support/in-ci.ts';
import { PACKAGE } from '../support/package.ts';
import { ADA, GREETER, TOKENS } from '../support/start-server.ts';

/** Where a browser says that it runs on Windows. */
const ON_WINDOWS = { userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0' };
const ON_A_PHONE = {
  userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1',
  viewport: { width: 390, height: 844 },
};

/** The addresses of the buttons, by their words. */
async function clicksOf(page: Page): Promise<Record<string, string>> {
  const links = await page.locator('#hello-clicks a').all();
  const found = links.map(async (link) => [
    (await link.textContent()) ?? '',
    (await link.getAttribute('href')) ?? '',
  ]);
  return Object.fromEntries(await Promise.all(found)) as Record<string, string>;
}

leftToCi(describeInBrowser)('a personal link', () => {
  const fixture = createPageFixture();

  test('says hello by name, and the token is nowhere in the address, in what is sent, or kept', async () => {
    const page = await fixture.open(ON_WINDOWS, `#token=${GREETER}`);
    await page.getByRole('heading', { level: 1, name: 'Hello, Greta' }).waitFor();

    const kept = await page.evaluate(
      'JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie',
    );
    expect(page.url()).toBe(`${fixture.url()}/`);
    expect(await page.evaluate('history.length')).toBe(2);
    expect(fixture.requests().filter((url) => url.includes(GREETER))).toEqual([]);
    expect(kept).toBe('{}');
    expect(await page.locator('#hello').innerText()).toContain('is a secret');
    expect(await page.locator('#hello-tools').innerText()).toContain('Greeting');
    expect(await page.locator('#hello-tools').innerText()).not.toContain('Echo');
    expect(await page.locator('h1:visible').count()).toBe(1);
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi('gets in with what was copied or appended behind the token', async () => {
    const made = 'mcp_0123456789-abcdef_0123456789';
    await fixture.server().writeTokens({ ...TOKENS, [made]: { userId: 'mia', name: 'Mia' } });

    for (const fragment of [`${made}).`, `${made}%`, `${made}%E2%80%9D`]) {
      const page = await fixture.open(ON_WINDOWS, `#token=${fragment}`);
      await page.getByRole('heading', { name: 'Hello, Mia' }).waitFor();
      expect(page.url()).toBe(`${fixture.url()}/`);
    }
    const tracked = await fixture.open(ON_WINDOWS, `#token=${GREETER}%20&utm_source=mail`);
    await tracked.getByRole('heading', { name: 'Hello, Greta' }).waitFor();
    expect(tracked.url()).toBe(`${fixture.url()}/`);
  });

  test('offers each client with everything filled in, as the table spells it', async () => {
    const page = await fixture.open(ON_WINDOWS, `#token=${ADA}`);
    await page.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor();

    const clicks = await clicksOf(page);

    const target = { name: PACKAGE.name, origin: fixture.url(), token: ADA };
    const withOneClick: ReadonlySet<string> = new Set([
      'cursor',
      'vscode',
      'vscode-insiders',
      'lm-studio',
      'goose',
      'claude-connector',
      'claude-desktop-bundle',
    ]);
    for (const id of CLIENT_IDS.filter((one) => withOneClick.has(one))) {
      const { words, link } = renderClient(id, target).oneClick ?? { words: '', link: [] };
      expect(clicks[words]).toBe(spellLink(link));
    }
    expect(await page.locator('#client-claude-code code').textContent()).toContain(`Bearer ${ADA}`);
    expect(Object.values(clicks).filter((link) => /cursor\.com|vscode\.dev|lmstudio\.ai/.test(link))).toEqual(
      [],
    );
  });

  testInCi('copies what has no link, and says where it goes', async () => {
    const page = await fixture.open(
      { ...ON_WINDOWS, permissions: ['clipboard-read', 'clipboard-write'] },
      `#token=${ADA}`,
    );

    await page.locator('#hello-copies').getByRole('button', { name: 'Codex' }).click();
    await page.locator('#hello-state', { hasText: '~/.codex/config.toml' }).waitFor();

    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(
      renderClient('codex', { name: PACKAGE.name, origin: fixture.url(), token: ADA }).text,
    );
  });

  test('breaks a name that is wider than a phone', async () => {
    const made = 'mcp_a-name-without-an-end_0123456789';
    const name = 'Donaudampfschifffahrtsgesellschaftskapitän';
    await fixture.server().writeTokens({ ...TOKENS, [made]: { userId: 'mia', name } });

    const page = await fixture.open(ON_A_PHONE, `#token=${made}`);
    await page.getByRole('heading', { name: `Hello, ${name}` }).waitFor();

    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
  });

  testInCi('offers on a phone what runs there, without a barrier, and fits it', async () => {
    const page = await fixture.open({ ...ON_A_PHONE, colorScheme: 'dark' }, `#token=${ADA}`);
    await page.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor();

    expect(Object.keys(await clicksOf(page))).toEqual(['Add to Claude']);
    expect(await page.locator('#hello-copies').innerText()).toContain('ChatGPT');
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
  });

  testInCi(
    'with a token that is refused shows the gate’s sentence and lets another one be tried',
    async () => {
      const page = await fixture.open(ON_WINDOWS, '#token=tok_expired_0123456789');

      const refusal = await page.getByRole('alert').locator('.refusal').textContent();

      expect(refusal).toContain('The token has expired.');
      expect(page.url()).toBe(`${fixture.url()}/`);
      expect(await page.locator('#hello').isHidden()).toBe(true);
      expect(await page.getByLabel('Your token').isVisible()).toBe(true);
    },
  );

  testInCi('is followed where the page is open already, and forgotten on demand', async () => {
    const page = await fixture.open(ON_WINDOWS);
    await page.evaluate(`location.hash = 'token=${ADA}'`);
    await page.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor();

    await page.getByRole('button', { name: 'Forget token' }).click();

    expect(await page.locator('#hello').isHidden()).toBe(true);
    expect(await page.content()).not.toContain(ADA);
    expect(await page.locator('#client-cursor [data-link]').getAttribute('href')).toBeNull();
    expect(await page.locator('#client-vscode [data-link]').getAttribute('href')).toMatch(/^vscode:mcp/);
  });
});
