/** The page's "Try it" in a real browser: forms from schemas, calls, hostile output, the event stream. */
import { expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { defineTool } from '../../src/mcp/tool.ts';
import { createPageFixture, describeInBrowser } from '../support/browser.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';
import { leftToCi, testInCi } from '../support/in-ci.ts';
import { eventually, send } from '../support/raw-http.ts';
import { ADA, TOKENS } from '../support/start-server.ts';

/** A tool with an input of every kind, which returns what arrived. */
const showInput = defineTool({
  name: 'show_input',
  title: 'Show input',
  description: 'Returns its input as JSON.',
  input: z.object({
    text: z.string().min(1).max(50),
    count: z.int().min(1).max(9).describe('How many.'),
    ratio: z.number().nullable().optional(),
    colour: z.enum(['red', 'green']),
    strict: z.boolean(),
    loud: z.boolean().optional(),
    size: z.enum(['s', 'm']).default('m'),
    tags: z.tuple([z.string(), z.string()]).optional(),
  }),
  run: (input) => JSON.stringify(input),
});

/** A tool that answers with an image, and with markup that says it is one. */
const drawDot = defineTool({
  name: 'draw_dot',
  title: 'Draw a dot',
  description: 'Returns images.',
  input: z.object({}),
  run: () => [
    {
      type: 'image',
      mimeType: 'image/gif',
      data: 'R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=',
    },
    { type: 'image', mimeType: 'text/html', data: btoa('<script>document.title="owned"</script>') },
  ],
});

const HOSTILE = '</pre><img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';

/** Chooses a tool. */
async function choose(page: Page, title: string): Promise<void> {
  await page.locator('#tool-list').getByRole('button', { name: title }).click();
}

/** Calls the chosen tool and waits for what it returns. */
async function call(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Call' }).click();
  await page.locator('.output pre').waitFor();
  return page.locator('.output').innerText();
}

/** What the server says to a token. */
async function statusOf(url: string, token: string): Promise<number> {
  return (await send(`${url}/tools`, { headers: { Authorization: `Bearer ${token}` } })).status;
}

const parts = {
  tools: [...fixtureTools, showInput, drawDot],
  env: { SSE_KEEPALIVE_SECONDS: '1' },
};

leftToCi(describeInBrowser)('the tools on the page', () => {
  const fixture = createPageFixture(parts);

  test('calls a tool over /mcp and shows result, time and both messages', async () => {
    const page = await fixture.signIn();

    await choose(page, 'Greeting');
    await page.getByLabel('name').fill('Grace');
    const output = await call(page);

    expect(output).toBe('Hello, Grace!');
    expect(await page.locator('.outcome').textContent()).toMatch(/^Result\d+ ms$/);
    const newest = page.locator('#wire li').first();
    const [request = '', answer = ''] = await newest.locator('pre').allTextContents();
    expect(request).toContain('"method": "tools/call"');
    expect(request).toContain('MCP-Protocol-Version: 2026-07-28');
    expect(request).toContain('Authorization: Bearer ••••••••');
    expect(answer).toContain('"text": "Hello, Grace!"');
    expect(await newest.locator('summary').textContent()).toMatch(/tools\/call get_greeting200 OK\d+ ms/);
    expect(fixture.complaints()).toEqual([]);
  });

  test('shows hostile output as text, in the result and in the messages', async () => {
    const page = await fixture.signIn();

    await choose(page, 'Echo');
    await page.getByRole('textbox', { name: /^message/ }).fill(HOSTILE);
    await page.getByRole('textbox', { name: /^message/ }).press('Control+Enter');
    await page.locator('.output pre').waitFor();

    expect(await page.locator('.output').innerText()).toBe(HOSTILE);
    expect(await page.locator('#try :is(script, pre img)').count()).toBe(0);
    expect(await page.title()).not.toBe('owned');
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi('makes a field for each kind of input and sends their types', async () => {
    const page = await fixture.signIn();
    await choose(page, 'Show input');
    const field = (name: string) => page.locator('#tool').getByLabel(new RegExp(`^${name}`));

    await field('text').fill('hello');
    await field('count').fill('three');
    await page.getByRole('button', { name: 'Call' }).click();
    const problem = await page.locator('.outcome').textContent();
    const focused = await page.evaluate('document.activeElement.ariaInvalid');
    await field('count').fill('3');
    await field('colour').selectOption('green');
    await field('strict').check();
    await field('loud').selectOption('false');
    await field('tags').fill('["a", "b"]');
    const output = await call(page);

    expect(problem).toBe('Not sent count: Enter a number.');
    expect(focused).toBe('true');
    expect(JSON.parse(output)).toEqual({
      text: 'hello',
      count: 3,
      colour: 'green',
      strict: true,
      loud: false,
      size: 'm',
      tags: ['a', 'b'],
    });
  });

  testInCi('takes the whole input as JSON, and shows what the tool says about it', async () => {
    const page = await fixture.signIn();
    await choose(page, 'Show input');

    await page.getByRole('button', { name: 'Edit as JSON' }).click();
    await page.getByLabel('arguments').fill('{ "text": 5 }');
    const output = await call(page);

    expect(await page.locator('.outcome').textContent()).toMatch(/^The tool reports an error/);
    expect(output).toContain('Invalid arguments for tool show_input');
  });

  test('shows the events and heartbeats of the SSE stream, and closes it', async () => {
    const page = await fixture.signIn();

    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.line', { hasText: '/messages?sessionId=' }).waitFor();
    await page.getByRole('button', { name: 'Send a ping' }).click();
    await page.locator('.line', { hasText: '"id":"ping-1"' }).waitFor();
    await page.locator('.line.comment', { hasText: ': keepalive' }).waitFor();
    await page.getByRole('button', { name: 'Close', exact: true }).click();

    await page.getByText(/^Closed: 2 events, \d+ heartbeats?\.$/).waitFor();
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi('tells why a ping is refused', async () => {
    const page = await fixture.signIn();
    const json = { error: 'session_not_found', error_description: 'No such session.' };
    await page.route('**/messages?*', async (route) => route.fulfill({ status: 404, json }));

    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.line', { hasText: '/messages?sessionId=' }).waitFor();
    await page.getByRole('button', { name: 'Send a ping' }).click();
    await page.getByText('No such session. (404 Not Found · session_not_found)').waitFor();

    expect(await page.locator('#announcer').textContent()).not.toContain('Ping sent');
  });

  testInCi('shows an image, and as text what only claims to be one', async () => {
    const page = await fixture.signIn();

    await choose(page, 'Draw a dot');
    const output = await call(page);

    expect(await page.evaluate("document.querySelector('.output img').naturalWidth")).toBe(1);
    expect(await page.locator('.output img').count()).toBe(1);
    expect(output).toContain('"mimeType": "text/html"');
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi.each(['on the open stream', 'at the next call'])(
    'signs out, with the server’s sentence, when the token has been revoked: %s',
    async (when) => {
      const page = await fixture.signIn();
      if (when === 'on the open stream') {
        await page.getByRole('button', { name: 'Open', exact: true }).click();
        await page.locator('.line').first().waitFor();
      }

      await fixture.server().writeTokens({ tok_other_0123456789: { userId: 'other' } });
      // Somebody else's call: the server has read the file when it is refused.
      await eventually(async () => (await statusOf(fixture.url(), ADA)) === 401);
      if (when === 'at the next call') await page.getByRole('button', { name: 'Call' }).click();
      const problem = page.getByRole('alert').locator('.refusal');
      await problem.waitFor();

      expect(await problem.innerText()).toContain('The token has been revoked.');
      expect(await problem.innerText()).toContain('401 Unauthorized · invalid_token');
      expect(await page.locator('#workbench').isHidden()).toBe(true);
      expect(await page.locator('#try').innerText()).not.toContain('Ada');
      expect(await page.evaluate('document.activeElement.id')).toBe('token');
      await fixture.server().writeTokens(TOKENS);
      await eventually(async () => (await statusOf(fixture.url(), ADA)) === 200);
    },
  );
});

leftToCi(describeInBrowser)('the tools on the page of a server under a path', () => {
  const fixture = createPageFixture({ ...parts, origin: 'http://127.0.0.1', basePath: '/apps/mcp-app' });

  testInCi('has a ping answered on the stream', async () => {
    const page = await fixture.signIn();

    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.locator('.line', { hasText: '/apps/mcp-app/messages?sessionId=' }).waitFor();
    await page.getByRole('button', { name: 'Send a ping' }).click();
    await page.locator('.line', { hasText: '"id":"ping-1"' }).waitFor();

    expect(fixture.complaints()).toEqual([]);
  });
});
