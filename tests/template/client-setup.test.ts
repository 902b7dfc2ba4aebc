/** docs/05_CLIENT_SETUP.md has every client as the connect command prints it. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { CLIENT_IDS, renderClient } from '../../src/connect/clients.ts';
import { fencesOf, readDocument } from './documents.ts';

const ORIGIN = 'https://my-app.example';
const FENCE_LANGUAGE = {
  json: 'json',
  toml: 'toml',
  yaml: 'yaml',
  shell: 'sh',
  javascript: 'js',
  fields: 'text',
} as const;

let text: string;
beforeAll(async () => {
  ({ text } = await readDocument('docs/05_CLIENT_SETUP.md'));
});

/** The sections of the clients: their ids and their text, without the heading. */
function sections(): Map<string, string> {
  const parts = text.split(/^### /m).slice(1);
  return new Map(
    parts.map((part) => {
      const [heading = '', ...rest] = part.split(/\n(?=## |\n)/);
      return [/\(`([\w-]+)`\)$/.exec(heading)?.[1] ?? heading, rest.join('\n')];
    }),
  );
}

test('has the clients of the connect command in their order, and no other', () => {
  expect([...sections().keys()]).toEqual([...CLIENT_IDS]);
});

describe.each(CLIENT_IDS)('%s', (id) => {
  test('has the configuration that the command prints', () => {
    const { form, text: configuration } = renderClient(id, { name: 'mcp-auth-server', origin: ORIGIN });

    const [fence] = fencesOf(sections().get(id) ?? '');

    expect(fence).toMatchObject({ language: FENCE_LANGUAGE[form], code: configuration });
  });

  test('has the title, the place and the note of the command', () => {
    const { title, where, note = '' } = renderClient(id, { name: 'mcp-auth-server', origin: ORIGIN });

    const section = sections().get(id) ?? '';

    expect(text).toContain(`### ${title} (\`${id}\`)\n`);
    expect(section).toContain(`Goes into: ${where}\n`);
    expect(section).toContain(note);
  });

  test('has its link for a README, if there is one', () => {
    const { oneClick } = renderClient(id, { name: 'mcp-auth-server', origin: ORIGIN });

    const links = [...(sections().get(id) ?? '').matchAll(/\]\((https:[^)]+)\)/g)].map(([, link]) => link);

    const { webLink = links[0] } = oneClick ?? {};
    expect(links[0]).toBe(webLink);
    expect(links.filter((link) => link?.includes('mcp_'))).toEqual([]);
  });
});
