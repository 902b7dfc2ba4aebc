/** The page after "Forget token": whatever belongs to a sign-in ends with it, however late an answer comes. */
import { expect, test } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { createPageFixture, describeInBrowser } from '../support/browser.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { createHeldTool } from '../support/held-tool.ts';
import { leftToCi, testInCi } from '../support/in-ci.ts';
import { eventually } from '../support/raw-http.ts';
import { ADA, BOB } from '../support/start-server.ts';

/** Signs in on a page that is open. */
async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Your token').fill(token);
  await page.getByLabel('Your token').press('Enter');
}

/** In the browser: has it copy only when it is told to, as one does that asks first. */
const COPY_LATE = `navigator.clipboard.writeText = () => new Promise((copied) => (globalThis.copyAtLast = copied)); undefined`;

/** In the browser: copies, and waits for a turn, in which the page has heard of it. */
const COPY = `copyAtLast(); new Promise((turn) => setTimeout(turn))`;

/** Calls the greeting and waits for it: what came before it has been shown by then, or never is. */
async function greet(page: Page): Promise<void> {
  await page.locator('#tool-list').getByRole('button', { name: 'Greeting' }).click();
  await page.getByRole('button', { name: 'Call' }).click();
  await page.locator('.output pre').waitFor();
}

leftToCi(describeInBrowser)('the page after a token is forgotten', () => {
  const held = createHeldTool({ ignoresAbort: true });
  const fixture = createPageFixture({
    tools: [...fixtureTools, held.tool],
    env: { SSE_KEEPALIVE_SECONDS: '1' },
  });

  test('shows the next user nothing of a call that is answered late, and gives the call up', async () => {
    const page = await fixture.signIn(ADA);
    await page.locator('#tool-list').getByRole('button', { name: 'Hold' }).click();
    await page.getByRole('button', { name: 'Call' }).click();
    await held.untilWaiting(1);

    await page.getByRole('button', { name: 'Forget token' }).click();
    await signIn(page, BOB);
    await page.locator('.who-name', { hasText: 'Bob' }).waitFor();
    await eventually(() => held.aborted === 1, { what: 'the call to be given up' });
    held.release();
    await greet(page);

    expect(await page.locator('#wire summary code').allTextContents()).toEqual([
      'tools/call get_greeting',
      'tools/call whoami',
      'tools/list',
      'server/discover',
    ]);
    expect(await page.locator('#try').innerText()).not.toMatch(/held|Ada/);
  });

  testInCi('holds nothing of the user any more', async () => {
    const page = await fixture.signIn(ADA);
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.line.comment').first().waitFor();
    await greet(page);
    const before = await page.locator('#try-app').innerHTML();

    await page.getByRole('button', { name: 'Forget token' }).click();
    const states: string[] = [];
    await eventually(async () => {
      states.push((await page.locator('#stream-state').textContent()) ?? '');
      return states.length > 20;
    });

    const after = await page.locator('#try-app').innerHTML();
    expect(before).toContain('Ada Lovelace');
    expect(before).toContain('get_greeting');
    expect(after).not.toMatch(/Ada|\bada\b|get_greeting|events?, \d/);
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi('tells the next user nothing of what the browser copied late for the one before', async () => {
    const page = await fixture.open({}, `#token=${ADA}`);
    await page.locator('#hello-name', { hasText: 'Ada' }).waitFor();
    await page.evaluate(COPY_LATE);
    await page.locator('#hello-copies').getByRole('button', { name: 'Your token' }).click();

    await page.getByRole('button', { name: 'Forget token' }).click();
    await page.evaluate(`location.hash = '#token=${BOB}'`);
    await page.locator('#hello-name', { hasText: 'Bob' }).waitFor();
    await page.evaluate(COPY);

    expect(await page.locator('#hello-state').textContent()).toBe('');
  });

  testInCi(
    'is the one of the last token where two are used at once, whichever is answered first',
    async () => {
      const page = await fixture.open();
      const late: Route[] = [];
      await page.route('**/mcp', async (route) => {
        if (route.request().headers()['authorization'] === `Bearer ${ADA}` && late.length === 0)
          late.push(route);
        else await route.continue();
      });

      await signIn(page, ADA);
      await eventually(() => late.length === 1);
      await signIn(page, BOB);
      await page.locator('.who-name', { hasText: 'Bob' }).waitFor();
      // What the page has given up cannot be answered.
      await late[0]?.continue().catch(() => undefined);
      await greet(page);

      expect(await page.locator('#who').innerText()).toContain('Bob');
      expect(await page.locator('#try').innerText()).not.toContain('Ada');
      expect(await page.locator('#wire > li').count()).toBe(4);
      expect(await page.getByLabel('Your token').inputValue()).toBe('');
    },
  );
});
