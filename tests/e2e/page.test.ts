/** The page in a real browser: it loads, copies, signs in, and shows why a token is refused. */
import { expect, test } from '@jest/globals';
import { createPageFixture, describeInBrowser } from '../support/browser.ts';
import { testInCi } from '../support/in-ci.ts';
import { PACKAGE } from '../support/package.ts';
import { ADA, GREETER } from '../support/start-server.ts';

/** Where a page could keep something, as one text. */
const EVERYTHING_KEPT = `[
  document.documentElement.outerHTML,
  JSON.stringify({ ...localStorage, ...sessionStorage }),
  document.cookie,
  location.href,
  document.querySelector('#token').value,
].join()`;

describeInBrowser('the page', () => {
  const fixture = createPageFixture();

  testInCi('loads without a complaint and asks for nothing but its own files', async () => {
    const page = await fixture.open();

    expect(await page.title()).toContain(PACKAGE.name);
    expect(await page.locator('.facts').textContent()).toContain(`${fixture.url()}/mcp`);
    expect(await page.locator('body').innerText()).not.toContain('your-server.example');
    expect(fixture.requests().every((url) => url.startsWith(`${fixture.url()}/`))).toBe(true);
    expect(fixture.requests().filter((url) => !url.startsWith(`${fixture.url()}/page/`))).toEqual([
      `${fixture.url()}/`,
    ]);
    expect(fixture.complaints()).toEqual([]);
  });

  test('copies the configuration of the chosen client with this server’s URL', async () => {
    const page = await fixture.open({ permissions: ['clipboard-read', 'clipboard-write'] });

    await page.getByText('Claude Code', { exact: true }).click();
    await page.getByRole('button', { name: 'Copy configuration for Claude Code' }).click();
    await page.getByRole('button', { name: 'Copied configuration for Claude Code' }).waitFor();

    const copied = await page.evaluate('navigator.clipboard.readText()');
    expect(copied).toContain(
      `claude mcp add --transport http --scope user ${PACKAGE.name} ${fixture.url()}/mcp`,
    );
    expect(await page.locator('#announcer').textContent()).toBe('Copied: configuration for Claude Code');
    expect(await page.locator('.picker details[open]').count()).toBe(1);
  });

  testInCi('copies where the clipboard is closed to it', async () => {
    const page = await fixture.open();
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");

    await page.getByRole('button', { name: 'Copy Streamable HTTP URL' }).click();
    await page.getByRole('button', { name: 'Copied Streamable HTTP URL' }).waitFor();

    expect(await page.evaluate('getSelection().toString()')).toBe(`${fixture.url()}/mcp`);
  });

  test('shows who a token belongs to, keeps it nowhere, and forgets it on demand', async () => {
    const page = await fixture.signIn(GREETER);

    const who = await page.locator('#who').textContent();
    const names = await page.locator('#tool-list code').allTextContents();
    const kept = await page.evaluate(EVERYTHING_KEPT);
    await page.getByRole('button', { name: 'Forget token' }).click();

    expect(who).toContain('Greta');
    expect(who).toContain('scopes: greet');
    expect(names).toEqual(['get_greeting', 'whoami']);
    expect(String(kept)).not.toContain(GREETER);
    expect(await page.locator('#workbench').isHidden()).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('token');
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi('puts the token into the configurations only when asked to', async () => {
    const page = await fixture.signIn();
    const code = page.locator('#client-claude-code code');

    const before = await code.textContent();
    await page.getByLabel('Put my token into the configurations').check();
    const during = await code.textContent();
    await page.getByRole('button', { name: 'Forget token' }).click();

    expect(before).toContain('Bearer YOUR_TOKEN');
    expect(during).toContain(`Bearer ${ADA}`);
    expect(await code.textContent()).toBe(before);
  });

  testInCi.each([
    [
      'an unknown token',
      'tok_wrong',
      'The token is unknown to this server.',
      '401 Unauthorized · invalid_token',
    ],
    [
      'an expired one',
      'tok_expired_0123456789',
      'The token has expired.',
      '401 Unauthorized · invalid_token',
    ],
    ['none', '', 'No credential was sent.', '401 Unauthorized · unauthorized'],
    ['one with its header name', `Bearer ${ADA}`, 'The word "Bearer" is there twice', '· invalid_token'],
    ['one no header can carry', 'tok_☃', 'contains a character that a token cannot contain', 'not sent'],
  ])('shows the explanation for %s', async (_what, token, words, code) => {
    const page = await fixture.open();

    await page.getByLabel('Your token').fill(token);
    await page.getByLabel('Your token').press('Enter');
    const refusal = await page.getByRole('alert').locator('.refusal').textContent();

    expect(refusal?.replaceAll("'", '"')).toContain(words);
    expect(refusal).toContain(code);
    expect(await page.locator('#workbench').isHidden()).toBe(true);
    // The browser itself notes each answer of 400 and above; nothing else may be there.
    expect(fixture.complaints().filter((text) => !text.includes('401 (Unauthorized)'))).toEqual([]);
  });
});
