/** The page for admins after "Forget my token", or with another one: whatever belongs to a sign-in ends with it, however late an answer comes. */
import { expect, test } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { createPageFixture, describeInBrowser } from '../support/browser.ts';
import { leftToCi, testInCi } from '../support/in-ci.ts';
import { eventually } from '../support/raw-http.ts';
import { TOKENS } from '../support/start-server.ts';

const TEA = 'tok_tea_admin_0123456789';
const MAX = 'tok_max_admin_0123456789';
const tokens = {
  ...TOKENS,
  [TEA]: { userId: 'tea', name: 'Ms Teacher', scopes: ['admin'] },
  [MAX]: { userId: 'max', name: 'Max', scopes: ['admin'] },
};

/** Has the page use a token. */
async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Your token').fill(token);
  await page.getByRole('button', { name: 'Go on' }).click();
}

/** Signs in, and waits for the list. */
async function signInWhole(page: Page, token: string): Promise<void> {
  await signIn(page, token);
  await page.getByLabel('Choose Bob').waitFor();
}

/** An answer that waits. */
interface Held {
  /** Waits until the request has come. */
  untilAsked(): Promise<void>;
  /** Lets the server answer, or answers in its place. */
  release(status?: number): Promise<void>;
}

/** Holds the first request of a token to a path of the API. */
async function hold(page: Page, path: string, token: string): Promise<Held> {
  const held: Route[] = [];
  await page.route(`**/admin/api/${path}`, async (route) => {
    const isOfToken = route.request().headers()['authorization'] === `Bearer ${token}`;
    if (isOfToken && held.length === 0) held.push(route);
    else await route.continue();
  });
  return {
    untilAsked: () => eventually(() => held.length === 1, { what: `a request to ${path}` }),
    async release(status) {
      const [route] = held;
      if (route === undefined) throw new Error('Nothing is held.');
      const json = { error: 'invalid_token', error_description: 'The token has been revoked.' };
      const answer = status === undefined ? { response: await route.fetch() } : { status, json };
      // What the page has given up cannot be answered.
      await route.fulfill(answer).catch(() => undefined);
    },
  };
}

/** Has the page load its list again, and waits: what came before has been shown by then, or never is. */
async function reload(page: Page): Promise<void> {
  const answered = page.waitForResponse('**/admin/api/people');
  await page.getByRole('button', { name: 'Load again' }).click();
  await answered;
  await eventually(async () => (await page.locator('#state').textContent()) === '');
}

leftToCi(describeInBrowser)('the page for admins after a token is forgotten', () => {
  const fixture = createPageFixture({ tokens });

  test('shows the next admin no link that was made for the one before, nor what was typed', async () => {
    const page = await fixture.open({}, 'admin');
    await signInWhole(page, TEA);
    const late = await hold(page, 'tokens', TEA);
    await page.getByLabel('One line per person').fill('zoe, Zoë');
    await page.getByLabel('Search').fill('Bob');
    await page.getByLabel('User id').fill('yan');
    await page.getByRole('button', { name: 'Make a link' }).click();
    await late.untilAsked();

    await page.getByRole('button', { name: 'Forget my token' }).click();
    await signInWhole(page, MAX);
    await late.release();
    await reload(page);

    expect(await page.locator('.slip').count()).toBe(0);
    expect(await page.locator('#handed').isHidden()).toBe(true);
    expect(await page.getByLabel('User id').inputValue()).toBe('');
    expect(await page.getByLabel('One line per person').inputValue()).toBe('');
    expect(await page.getByLabel('Search').inputValue()).toBe('');
    expect(fixture.complaints()).toEqual([]);
  });

  test('signs nobody out because the token before is refused', async () => {
    const page = await fixture.open({}, 'admin');
    await signInWhole(page, TEA);
    const late = await hold(page, 'people', TEA);
    await page.getByRole('button', { name: 'Load again' }).click();
    await late.untilAsked();

    await page.getByRole('button', { name: 'Forget my token' }).click();
    await signInWhole(page, MAX);
    await late.release(401);
    await reload(page);

    expect(await page.locator('#desk').isVisible()).toBe(true);
    expect(await page.locator('.news .refusal').count()).toBe(0);
  });

  testInCi('is that of the last token where two are used at once', async () => {
    const page = await fixture.open({}, 'admin');
    const late = await hold(page, 'people', TEA);

    await signIn(page, TEA);
    await late.untilAsked();
    await signInWhole(page, MAX);
    await late.release(401);
    await reload(page);

    expect(await page.locator('#desk').isVisible()).toBe(true);
    expect(await page.locator('.news .refusal').count()).toBe(0);
  });

  test('leaves nothing of a person in a form that was open when the token was refused', async () => {
    const page = await fixture.open({}, 'admin');
    await signInWhole(page, TEA);
    const late = await hold(page, 'people', TEA);
    await page.getByRole('button', { name: 'Load again' }).click();
    await late.untilAsked();
    await page.getByRole('button', { name: 'Edit Bob' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('Robert');

    await late.release(401);
    await page.locator('.news .refusal').waitFor();

    expect(await page.locator('dialog[open]').count()).toBe(0);
    expect(await page.locator('#edit').innerHTML()).not.toContain('bob');
    expect(await page.locator('#edit-name').inputValue()).toBe('');
  });

  testInCi('says of a token with a character that no token has what is wrong with it', async () => {
    const page = await fixture.open({}, 'admin');

    await signIn(page, `${TEA}\u201D`);
    await page.locator('.news .refusal').waitFor();

    expect(await page.locator('.news .refusal').textContent()).toContain(
      'a character that a token cannot contain',
    );
  });
});
