/** The page for admins in a real browser: signing in, adding, links to hand out, changing, and barriers. */
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { createPageFixture, describeInBrowser, findBarriers } from '../support/browser.ts';
import { leftToCi, testEach, testInCi } from '../support/in-ci.ts';
import { focused, tabTo } from '../support/keyboard.ts';
import { eventually } from '../support/raw-http.ts';
import { ADA, GREETER, TOKENS } from '../support/start-server.ts';

const ADMIN = 'tok_admin_0123456789';
const tokens = { ...TOKENS, [ADMIN]: { userId: 'tea', name: 'Ms Teacher', scopes: ['admin'] } };

/** In the browser: over how many lines the one date goes. A text, as the types here are Node's. */
const LINES_OF_DATE = `(() => {
  const range = document.createRange();
  range.selectNodeContents([...document.querySelectorAll('td')].find((cell) => cell.textContent === '2027-06-30'));
  return range.getClientRects().length;
})()`;

/** In the browser: how much wider than their places the tables are, and the side of the smallest box. */
const ROOM_OF_TABLES = `[
  ...[...document.querySelectorAll('.wide')].map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth),
  Math.min(...[...document.querySelectorAll('.wide input')].map(({ offsetWidth }) => offsetWidth)),
]`;

/** In the browser: what in a slip goes on behind its edge. */
const WIDE_IN_SLIPS = `[...document.querySelectorAll('.slip > *')]
  .filter(({ scrollWidth, clientWidth, offsetWidth }) => scrollWidth > Math.max(clientWidth, offsetWidth))
  .map(({ outerHTML }) => outerHTML)`;

/** In the browser: how many codes are drawn. */
const DRAWN = `document.querySelectorAll('.slip path').length`;

/** In the browser: notes how many codes are drawn when the page gets its turn for the first time. */
const NOTE_DRAWN_AT_FIRST = `void new MutationObserver((_changes, observer) => {
  observer.disconnect();
  globalThis.drawnAtFirst = ${DRAWN};
}).observe(document.getElementById('slips'), { childList: true })`;

/** In the browser: opens an edit, leaves it, and opens it again before the browser has told that it was left. */
const EDIT_TWICE = `(() => {
  const button = [...document.querySelectorAll('#rows button')].find(({ ariaLabel }) => ariaLabel.startsWith('Edit Bob'));
  button.click();
  document.getElementById('edit').close('no');
  button.click();
})()`;

/** Whether the admin's token is let in. */
async function isLetIn(url: string): Promise<boolean> {
  return (await fetch(url, { headers: { Authorization: `Bearer ${ADMIN}` } })).ok;
}

leftToCi(describeInBrowser)('the page for admins', () => {
  const fixture = createPageFixture({ tokens });

  /** Opens the page and signs in. */
  const signIn = async (token = ADMIN, options: BrowserContextOptions = {}): Promise<Page> => {
    const page = await fixture.open(options, 'admin');
    await page.getByLabel('Your token').fill(token);
    await page.getByRole('button', { name: 'Go on' }).click();
    return page;
  };

  testInCi('refuses whoever is no admin, in words', async () => {
    const page = await signIn(ADA);

    const refusal = await page.getByRole('alert').locator('.refusal').textContent();

    expect(refusal).toContain('This is for admins');
    expect(await page.locator('#desk').isHidden()).toBe(true);
  });

  test('makes links for a pasted list, as slips with codes and as a table to save', async () => {
    const page = await signIn();
    await page.getByText('Ms Teacher').waitFor();

    await page.getByLabel('One line per person').fill('zoe, Zoë, greet, 90d\nyan, Yan\nada');
    await page.getByRole('button', { name: 'Make their links' }).click();
    await page.getByText('2 links made; 1 person already had a token.').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download as CSV' }).click(),
    ]);
    const table = await readFile(await download.path(), 'utf8');

    expect(await page.getByRole('img', { name: /^QR code of the link of/ }).count()).toBe(2);
    expect(await page.locator('.slip code').first().textContent()).toMatch(
      new RegExp(`^${fixture.url()}/#token=mcp_`),
    );
    expect(table).toMatch(/^\uFEFFuser,name,token,link\r\nzoe,Zoë,mcp_[\w-]+,http/);
    expect(await page.locator('#rows').innerText()).toContain('Yan');
    expect(fixture.complaints()).toEqual([]);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.slip').first().isVisible()).toBe(true);
    expect(await page.locator('#rows').isVisible()).toBe(false);
  });

  test('draws the codes of many links a few at a time, and all of them before it prints', async () => {
    const page = await signIn();
    await page.getByText('Ms Teacher').waitFor();
    await page.evaluate(NOTE_DRAWN_AT_FIRST);

    const ids = Array.from({ length: 200 }, (_, index) => `pupil-${index}`);
    await page.getByLabel('One line per person').fill(ids.join('\n'));
    await page.getByRole('button', { name: 'Make their links' }).click();
    await page.getByText('200 links made').waitFor();
    const printed = await page.evaluate(`dispatchEvent(new Event('beforeprint')), ${DRAWN}`);
    await page.getByRole('button', { name: 'Copy the link of pupil-199' }).waitFor();

    expect(await page.evaluate('drawnAtFirst')).toBeLessThan(200);
    expect(printed).toBe(200);
    await fixture.server().writeTokens(tokens);
  });

  testInCi('copies a link', async () => {
    const page = await signIn(ADMIN, { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByLabel('User id').fill('cleo');
    await page.getByRole('button', { name: 'Make a link' }).click();

    await page.getByRole('button', { name: 'Copy the link of cleo' }).click();
    await page.getByText('Copied: the link of cleo').waitFor();

    const link = await page.locator('.slip code').textContent();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(link);
    await fixture.server().writeTokens(tokens);
  });

  testInCi(
    'shows links that were made where the lists cannot be loaded again, with what the server warns of',
    async () => {
      const page = await signIn();
      await page.getByLabel('Choose Bob').check();
      await page.route('**/admin/api/people', async (route) => route.abort());
      await page.route('**/admin/api/tokens', async (route) => {
        const answer = await route.fetch();
        const made = (await answer.json()) as object;
        await route.fulfill({ response: answer, json: { ...made, warning: 'It is not in force.' } });
      });

      await page.getByLabel('User id').fill('uma');
      await page.getByRole('button', { name: 'Make a link' }).click();
      await page.getByText('The server cannot be reached.').waitFor();
      const links = await page.locator('.slip').count();
      const warning = await page.locator('#handed').getByText('It is not in force.').count();
      await page.getByRole('button', { name: 'New link' }).click();
      await eventually(async () => (await page.locator('.slip').count()) > links);

      expect([links, warning]).toEqual([1, 1]);
      expect(await page.locator('#handed').getByText('It is not in force.').isHidden()).toBe(true);
      await fixture.server().writeTokens(tokens);
    },
  );

  testInCi('asks before links are closed, or left, that nobody has saved or copied', async () => {
    const page = await signIn(ADMIN, { permissions: ['clipboard-read', 'clipboard-write'] });
    const make = async (user: string): Promise<void> => {
      await page.getByLabel('User id').fill(user);
      await page.getByRole('button', { name: 'Make a link' }).click();
      await page.locator('.slip').getByText(user, { exact: true }).first().waitFor();
    };
    const close = async (): Promise<void> => page.getByRole('button', { name: 'Done' }).click();
    const left: string[] = [];
    page.on('dialog', (dialog) => {
      left.push(dialog.type());
      void dialog.accept();
    });

    await make('dora');
    await close();
    const question = await page.getByRole('dialog').innerText();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Copy the link of dora' }).click();
    await page.getByText('Copied: the link of dora').waitFor();
    await close();
    await page.locator('#handed').waitFor({ state: 'hidden' });
    await make('eva');
    await page.reload();

    expect(question).toMatch(/Close and lose 1 link\?\s+Nobody has saved, printed or copied it/);
    expect(left).toEqual(['beforeunload']);
    await fixture.server().writeTokens(tokens);
  });

  testInCi('changes what is chosen', async () => {
    const page = await signIn();
    await page.getByLabel('Choose Bob').check();

    await page.getByRole('button', { name: 'Disable' }).click();
    await page.getByText('Done for 1 token.').waitFor();

    expect(await page.locator('tr', { hasText: 'Bob' }).innerText()).toContain('disabled');
  });

  testInCi('says whose tokens are meant, and how many of them the search hides', async () => {
    await fixture.server().writeTokens(tokens);
    const page = await signIn();
    const dialog = page.getByRole('dialog');
    await page.getByLabel('Choose Bob').check();
    await page.getByLabel('Search').fill('ada');
    await page.getByLabel('Choose Ada').check();
    const chosen = await page.locator('#chosen').textContent();

    const asked: string[] = [];
    for (const name of ['Disable', 'Remove']) {
      await page.locator('#actions').getByRole('button', { name }).click();
      asked.push(await dialog.innerText());
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'hidden' });
    }
    await page.getByLabel('Search').fill('');
    const seen = await page.locator('#chosen').textContent();
    await page.locator('#actions').getByRole('button', { name: 'Disable' }).click();
    await page.getByText('Done for 2 tokens.').waitFor();
    await page.getByLabel('Search').fill('disabled');
    const found = await page.getByLabel('Choose ').count();

    expect([chosen, seen]).toEqual(['2 chosen, 1 not shown', '2 chosen']);
    const owners = /They belong to Ada Lovelace \(ada\), Bob \(bob\)\. 1 of them is not shown in the table\./;
    expect(asked[0]).toMatch(/^Disable: 2 tokens\?/);
    expect(asked[1]).toMatch(/^Remove 2 tokens\?/);
    for (const words of asked) expect(words).toMatch(owners);
    // What chooses all of them, the two, and the one that was disabled before.
    expect(found).toBe(4);
  });

  test('edits a person, tells when another admin has done so meanwhile, and loses nothing', async () => {
    await fixture.server().writeTokens(tokens);
    const page = await signIn();
    const row = page.locator('tr', { hasText: 'greta' });
    await row.getByRole('button', { name: 'Edit' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Ends').fill('2099-01-01');
    const said = await page.locator('#state').textContent();
    // Another admin, by the file.
    const other = { userId: 'greta', name: 'Greta Garbo', scopes: ['greet'] };
    await fixture.server().writeTokens({ ...tokens, [GREETER]: other });

    await form.getByRole('button', { name: 'Save' }).click();
    const words = await form.getByRole('alert').textContent();
    const name = form.getByLabel('Name');
    await eventually(async () => (await name.inputValue()) === 'Greta Garbo');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByText('greta has been changed.').waitFor();

    expect(said).toBe('');
    expect(words).toContain('Somebody else has changed this entry');
    expect(await row.innerText()).toMatch(/Greta Garbo[^]*greet[^]*2099-01-01/);
  });

  testInCi('saves an edit that was left and opened again at once', async () => {
    await fixture.server().writeTokens(tokens);
    const page = await signIn();
    await page.getByRole('button', { name: 'Edit Bob' }).waitFor();

    await page.evaluate(EDIT_TWICE);
    await page.getByRole('dialog').getByLabel('Name').fill('Robert');
    await page.keyboard.press('Enter');
    await page.getByText('bob has been changed.').waitFor();
    await focused(page, 'Edit Robert');

    expect(await page.locator('tr', { hasText: 'bob' }).innerText()).toContain('Robert');
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi('signs out with words when the token is taken away in the middle of an edit', async () => {
    await fixture.server().writeTokens(tokens);
    const page = await signIn();
    await page.getByRole('button', { name: 'Edit Bob' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Robert');
    const { [ADMIN]: _gone, ...others } = tokens;
    await fixture.server().writeTokens(others);
    await eventually(async () => !(await isLetIn(`${fixture.url()}/admin/api/people`)));

    await page.keyboard.press('Enter');
    await page.locator('.news .refusal').waitFor();

    expect(await page.locator('.news .refusal').textContent()).toContain('revoked');
    expect(await page.locator('#desk').isHidden()).toBe(true);
    expect(await page.locator('#rows').innerText()).not.toContain('Ada');
    await fixture.server().writeTokens(tokens);
  });

  testInCi(
    'is used by keyboard alone: each stop is seen, and the focus comes back to where one was',
    async () => {
      await fixture.server().writeTokens(tokens);
      const page = await fixture.open({}, 'admin');
      const { keyboard } = page;
      await tabTo(page, 'Your token');
      await keyboard.type(ADMIN);
      await keyboard.press('Enter');
      await focused(page, 'People and their tokens');

      await tabTo(page, 'User id');
      await keyboard.type('kay');
      await keyboard.press('Enter');
      await focused(page, 'Links to hand out');
      await tabTo(page, 'Done');
      await keyboard.press('Enter');
      await focused(page, 'Cancel');
      await tabTo(page, 'Close');
      await keyboard.press('Enter');
      await focused(page, 'People and their tokens');

      await tabTo(page, 'Edit kay');
      await keyboard.press('Enter');
      await focused(page, 'Name');
      await keyboard.press('Escape');
      await focused(page, 'Edit kay');
      await keyboard.press('Space');
      await keyboard.type('Kay Jones');
      await keyboard.press('Enter');
      await focused(page, 'Edit Kay Jones');

      await tabTo(page, 'Choose Kay Jones', 'Shift+Tab');
      await keyboard.press('Space');
      await tabTo(page, 'New link', 'Shift+Tab');
      await keyboard.press('Enter');
      await focused(page, 'Links to hand out');
      await tabTo(page, 'Choose Kay Jones');
      await keyboard.press('Space');
      await tabTo(page, 'Remove', 'Shift+Tab');
      await keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
      await keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      await focused(page, 'Remove');
      // Once more than is meant, as a key that is held down does: it is no answer.
      await keyboard.press('Enter');
      await focused(page, 'Cancel');
      await keyboard.press('Enter');
      await focused(page, 'Remove');
      // The token that has a new link, and the new one.
      const kays = page.locator('#rows tr', { hasText: 'Kay Jones' });
      expect(await kays.count()).toBe(2);
      await keyboard.press('Enter');
      await focused(page, 'Cancel');
      await tabTo(page, 'Remove', 'Shift+Tab');
      await keyboard.press('Enter');
      await eventually(async () => (await kays.count()) === 1);
      await focused(page, 'Remove');

      expect(fixture.complaints()).toEqual([]);
    },
  );

  testEach([
    { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
    { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
    { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  ] as const)('has no barriers in $colorScheme, and fits the screen', async (screen) => {
    const page = await signIn(ADMIN, screen);
    await page.getByLabel('User id').fill('quinn');
    await page.locator('#one-expires').fill('2027-06-30');
    await page.getByRole('button', { name: 'Make a link' }).click();
    await page.locator('.slip').waitFor();

    expect(await findBarriers(page)).toEqual([]);
    const row = page.locator('#rows tr', { hasText: 'quinn' });
    const button = await row.getByRole('button', { name: 'Edit' }).boundingBox();
    expect((button?.x ?? Infinity) + (button?.width ?? 0)).toBeLessThanOrEqual(screen.viewport.width);
    expect(await page.evaluate(LINES_OF_DATE)).toBe(1);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    await page.locator('.slip').waitFor();
    // For the next screen.
    await fixture.server().writeTokens(tokens);
  });

  test.each([320, 390])(
    'shows all of a row on a phone that is %i wide, and what to do to it from wherever it is chosen',
    async (width) => {
      const name = 'Donaudampfschifffahrtsgesellschaftskapitän';
      const others: Record<string, { userId: string }> = {};
      for (let index = 0; index < 20; index += 1)
        others[`tok_other_${index}_0123456789`] = { userId: `u${index}` };
      const long = { userId: 'long', name, expiresAt: '2027-06-30T00:00:00Z' };
      await fixture.server().writeTokens({ ...tokens, ...others, tok_long_0123456789: long });
      const page = await signIn(ADMIN, { viewport: { width, height: 640 } });

      await page.getByLabel(`Choose ${name}`).check();
      const row = await page.locator('#rows tr', { hasText: name }).innerText();
      const top = (await page.getByRole('button', { name: 'Disable' }).boundingBox())?.y;

      await page.getByRole('button', { name: 'New link' }).click();
      await page.getByText('Done for 1 token.').waitFor();
      await page.getByRole('button', { name: 'Copy the link of' }).click({ timeout: 5_000 });

      expect(await page.evaluate(WIDE_IN_SLIPS)).toEqual([]);
      expect(await page.evaluate(ROOM_OF_TABLES)).toEqual([0, 0, 24]);
      expect(row).toContain('2027-06-30');
      expect(top).toBeGreaterThanOrEqual(0);
      expect(await page.getByRole('link', { name: 'Add' }).count()).toBe(1);
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
      expect(await findBarriers(page)).toEqual([]);
      await fixture.server().writeTokens(tokens);
    },
  );
});
