/** What a fork may offer, on the page in a real browser: inputs of every shape, prompts, resources, and what is suggested for them. */
import { expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { z } from 'zod';
import { definePrompt } from '../../src/mcp/prompt.ts';
import { defineResource } from '../../src/mcp/resource.ts';
import { defineTool } from '../../src/mcp/tool.ts';
import { createPageFixture, describeInBrowser, findBarriers } from '../support/browser.ts';
import { leftToCi, testInCi } from '../support/in-ci.ts';
import { fixtureTools } from '../../lab/fixture/tools.mjs';

interface Branch {
  readonly label: string;
  readonly children: Branch[];
}
const branch: z.ZodType<Branch> = z.object({
  label: z.string(),
  get children() {
    return z.array(branch);
  },
});

/** A tool with an input of every shape, which returns what arrived. */
const order = defineTool({
  name: 'order',
  title: 'Order',
  description: 'Returns its input.',
  scope: 'shop',
  input: z.object({
    customer: z.object({
      name: z.string().min(1),
      address: z.object({ street: z.string(), zip: z.string().nullable() }).optional(),
    }),
    lines: z.array(z.object({ item: z.enum(['book', 'pen']), count: z.int() })).min(1),
    pay: z.discriminatedUnion('by', [
      z.object({ by: z.literal('card'), number: z.string() }),
      z.object({ by: z.literal('cash') }),
    ]),
    note: z.string().nullable(),
    discount: z.union([z.number(), z.string()]).optional(),
    tags: z.array(z.string()).optional(),
    extra: z.record(z.string(), z.number()).optional(),
    tree: branch.optional(),
  }),
  output: z.object({ got: z.unknown() }),
  run: (input) => ({ got: input }),
});

const NAMES = ['intro', 'ink', 'öl'];
const review = definePrompt({
  name: 'review',
  title: 'Daily review',
  description: 'Goes through it.',
  args: z.object({ topic: z.string().describe('What about.'), rounds: z.string().optional() }),
  complete: { topic: (typed) => NAMES.filter((name) => name.startsWith(typed)) },
  run: ({ topic }, { user }) => `${user.name} reviews ${topic}.`,
});
const about = defineResource({
  name: 'about',
  title: 'About',
  description: 'About us.',
  uri: 'about://us',
  mimeType: 'text/plain',
  read: () => 'This is us.',
});
const lesson = defineResource({
  name: 'lesson',
  title: 'Lesson',
  description: 'A lesson.',
  uri: 'lesson://{id}',
  params: z.object({ id: z.string() }),
  complete: { id: (typed) => NAMES.filter((name) => name.startsWith(typed)) },
  read: ({ id }) => `# ${id}`,
});

/** The panel of an entry of the lists. */
async function choose(page: Page, title: string): Promise<Locator> {
  await page.locator('.tools').getByRole('button', { name: title }).click();
  return page.locator('#tool');
}

/** Sends the form, and returns the structured answer. */
async function call(panel: Locator): Promise<unknown> {
  await panel.getByRole('button', { name: 'Call' }).click();
  await panel.locator('.output pre').waitFor();
  return (JSON.parse(await panel.locator('.output').innerText()) as { got: unknown }).got;
}

/** Fills in what must be there. */
async function fillIn(panel: Locator): Promise<void> {
  const customer = panel.getByRole('group', { name: /^customer/ });
  await customer.getByRole('textbox', { name: /^name/ }).fill('Zoë');
  await panel.getByLabel(/^item/).selectOption('pen');
  await panel.getByLabel(/^count/).fill('2');
  await panel.getByLabel('Kind of pay').selectOption({ label: 'cash' });
  await panel.getByLabel('note is null').check();
}

/** What then arrives. */
const FILLED_IN = {
  customer: { name: 'Zoë' },
  lines: [{ item: 'pen', count: 2 }],
  pay: { by: 'cash' },
  note: null,
};

const features = [{ name: 'study', prompts: [review], resources: [about, lesson] }];
const offer = { tools: [...fixtureTools, order], features };

leftToCi(describeInBrowser)('what a fork offers', () => {
  const fixture = createPageFixture(offer);

  test('has a form for each shape of input, and leaves out what is optional and empty', async () => {
    const panel = await choose(await fixture.signIn(), 'Order');

    await fillIn(panel);
    const least = await call(panel);
    await panel.getByRole('textbox', { name: /^street/ }).fill('Main');
    await panel.getByLabel('zip is null').check();
    await panel.getByRole('button', { name: 'Add to tags' }).click();
    await panel.getByRole('textbox', { name: /^tags item/ }).fill('new');
    await panel.getByRole('button', { name: 'Add to tags' }).click();
    await panel.getByRole('button', { name: 'Remove item of tags' }).last().click();
    await panel.getByLabel('Kind of discount').selectOption({ label: 'number' });
    await panel
      .getByLabel(/^number/)
      .last()
      .fill('5');
    await panel.getByLabel(/^extra/).fill('{ "a": 1 }');
    const most = await call(panel);

    expect(least).toEqual(FILLED_IN);
    expect(most).toEqual({
      ...FILLED_IN,
      customer: { name: 'Zoë', address: { street: 'Main', zip: null } },
      tags: ['new'],
      discount: 5,
      extra: { a: 1 },
    });
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi(
    'begins as JSON with a skeleton, and keeps what was typed from form to JSON and back',
    async () => {
      const page = await fixture.signIn();
      const panel = await choose(page, 'Order');
      const toJson = panel.getByRole('button', { name: 'Edit as JSON' });
      const toForm = panel.getByRole('button', { name: 'Edit as a form' });
      const box = panel.getByRole('textbox', { name: /^arguments/ });

      await toJson.click();
      const skeleton: unknown = JSON.parse(await box.inputValue());
      await toForm.click();
      await panel.getByLabel(/^count/).fill('two');
      await panel.getByRole('textbox', { name: /^name/ }).fill('Zoë');
      await toJson.click();
      const draft = JSON.parse(await box.inputValue()) as Record<string, unknown>;
      await box.fill(
        JSON.stringify({
          ...draft,
          ...FILLED_IN,
          tree: { label: 'a', children: [{ label: 'b', children: [] }] },
        }),
      );
      await toForm.click();

      expect(skeleton).toEqual({
        customer: { name: '' },
        lines: [{ item: 'book', count: 0 }],
        pay: { by: 'card', number: '' },
        note: '',
      });
      expect(draft).toMatchObject({ customer: { name: 'Zoë' }, lines: [{ item: 'book', count: 'two' }] });
      expect(await panel.getByLabel('Kind of pay').locator('option:checked').innerText()).toBe('cash');
      expect(await panel.getByRole('textbox', { name: /^label/ }).count()).toBe(2);
      expect(await call(panel)).toEqual({
        ...FILLED_IN,
        tree: { label: 'a', children: [{ label: 'b', children: [] }] },
      });
    },
  );

  testInCi('stays JSON where the form cannot show it, and says so', async () => {
    const panel = await choose(await fixture.signIn(), 'Order');
    await panel.getByRole('button', { name: 'Edit as JSON' }).click();
    const box = panel.getByRole('textbox', { name: /^arguments/ });

    await box.fill('{ "shoes": 2 }');
    await panel.getByRole('button', { name: 'Edit as a form' }).click();
    const noPlace = await panel.locator('.schema-form > .problem').innerText();
    await box.fill('{ "shoes": ');
    await panel.getByRole('button', { name: 'Edit as a form' }).click();
    const noJson = await panel.locator('.schema-form > .problem').innerText();

    expect(noPlace).toContain('cannot show the value of "shoes"');
    expect(noJson).toContain('not a JSON object yet');
    expect(await box.inputValue()).toBe('{ "shoes": ');
  });

  testInCi('shows the scope that a tool needs, and its schemas', async () => {
    const panel = await choose(await fixture.signIn(), 'Order');

    await panel.getByText('Input schema').click();
    await panel.getByText('Output schema').click();

    expect(await panel.locator('.hints').innerText()).toContain('needs the scope shop');
    const [input = '', output = ''] = await panel.locator('.schema pre:visible').allInnerTexts();
    expect(JSON.parse(input)).toMatchObject({ required: ['customer', 'lines', 'pay', 'note'] });
    expect(JSON.parse(output)).toMatchObject({ required: ['got'] });
  });

  test('has its prompts and resources tried, with what the server suggests', async () => {
    const page = await fixture.signIn();
    const panel = await choose(page, 'Daily review');

    await panel.getByLabel(/^topic/).fill('in');
    await panel.locator('datalist option').nth(1).waitFor({ state: 'attached' });
    const topics = await page.evaluate(
      "[...document.querySelectorAll('datalist option')].map((option) => option.value)",
    );
    await panel.getByRole('button', { name: 'Get' }).click();
    await panel.getByText('Ada Lovelace reviews in.').waitFor();
    await choose(page, 'About');
    await panel.getByRole('button', { name: 'Read' }).click();
    await panel.getByText('This is us.').waitFor();
    await choose(page, 'Lesson');
    await panel.getByRole('button', { name: 'Read' }).click();
    const missing = await panel.locator('.outcome').innerText();
    await panel.getByLabel(/^id/).fill('öl');
    await panel.getByRole('button', { name: 'Read' }).click();
    await panel.getByText('# öl').waitFor();

    expect(topics).toEqual(['intro', 'ink']);
    expect(missing).toContain('id: Enter a text.');
    // The suggestions for what was typed may have been asked for since.
    expect(await page.locator('#wire summary code').allInnerTexts()).toContain(
      'resources/read lesson://%C3%B6l',
    );
    expect(fixture.complaints()).toEqual([]);
  });

  testInCi('keeps the form of what is chosen near a list of any length', async () => {
    const page = await fixture.signIn(undefined, { viewport: { width: 1280, height: 800 } });

    await page.evaluate(
      "for (const list = document.getElementById('tool-list'); list.children.length < 60; ) list.append(list.children[0].cloneNode(true));",
    );

    expect((await page.locator('.tools').boundingBox())?.height).toBeLessThan(800);
  });

  testInCi.each([
    { colorScheme: 'light', viewport: { width: 1280, height: 800 } },
    { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
  ] as const)('has no barriers in $colorScheme, and fits the screen', async (screen) => {
    const page = await fixture.signIn(undefined, screen);
    const panel = await choose(page, 'Order');
    await panel.getByRole('button', { name: 'Add to tags' }).click();
    await panel.getByRole('button', { name: 'Call' }).click();
    await panel.getByText('Not sent').waitFor();

    expect(await findBarriers(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
  });
});
