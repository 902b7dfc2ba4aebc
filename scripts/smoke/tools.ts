/** Calls tools as clients of each transport do. Calls only tools that say they change nothing and that need no input. */
import { z } from 'zod';
import type { ListedTool, ToolClient } from './clients.ts';
import type { User } from './identity.ts';
import { CheckFailure } from './outcome.ts';
import type { Passed } from './steps.ts';

/** What each transport must show. */
export interface Expectation {
  readonly names: readonly string[];
  /** The user that calls must run as, from `GET /tools`. */
  readonly user: User;
  /** The tools that have named the user on another transport: they must name that user on each. */
  readonly tellers?: Set<string>;
}

/** What a tool answered. */
export interface Said {
  readonly name: string;
  readonly text: string;
}

const RESULT = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ text: z.string().optional() })),
  structuredContent: z.unknown().optional(),
});

/** How many tools are called at the most: a fork may have many, and some may be expensive. */
const MOST_CALLS = 2;

/** The name of a tool that tells who its user is. */
const TELLER = /^who_?am_?i$/i;

/** Lists the tools and calls those that may be called; fails when one shows another user. Closes the client. */
export async function callTools(client: ToolClient, expected: Expectation): Promise<Passed> {
  try {
    // A server without tools does not know the method.
    if (expected.names.length === 0) return { detail: 'connected; no tools for this user' };
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    if (names.join() !== expected.names.join()) {
      const advice =
        'Two servers seem to answer under this URL, or the server was just replaced: run this again.';
      throw new CheckFailure(
        `The client sees the tools ${names.join(', ')}; GET /tools lists others.`,
        advice,
      );
    }
    const said = await callTellers(client, tools);
    const told = said.filter((one) => requireUser(one, expected)).map(({ name }) => name);
    const called = said.map(({ name }) => name);
    return { detail: `${tools.length} tools listed, ${describe(called, told, expected.user)}` };
  } finally {
    await client.close();
  }
}

/** Says what was called, and whether it named the user. */
function describe(called: readonly string[], told: readonly string[], { userId }: User): string {
  if (called.length === 0)
    return 'none was called, since none is read-only and needs no input; only GET /tools names the user';
  if (told.length > 0) return `${called.join(' and ')} called, as ${userId}`;
  return `${called.join(' and ')} called; the results do not name the user, only GET /tools does`;
}

/** Calls tools with the hint `readOnlyHint` that need no input; first those whose name promises to tell the user. */
export async function callTellers(client: ToolClient, tools: readonly ListedTool[]): Promise<Said[]> {
  const harmless = tools
    .filter(({ annotations, inputSchema: { required = [] } }) => {
      return annotations?.readOnlyHint === true && required.length === 0;
    })
    .toSorted((one, other) => Number(TELLER.test(other.name)) - Number(TELLER.test(one.name)))
    .slice(0, MOST_CALLS);
  const said: Said[] = [];
  for (const { name } of harmless) {
    const result = RESULT.safeParse(await client.callTool({ name, arguments: {} }));
    if (!result.success)
      throw new CheckFailure(
        `${name} was answered with something that is not the result of a tool.`,
        'Something on the way changes messages.',
      );
    const { content, structuredContent } = result.data;
    const texts = content.map((part) => part.text ?? '');
    said.push({ name, text: [...texts, JSON.stringify(structuredContent ?? '')].join(' ') });
  }
  return said;
}

/** The shortest word that is looked for: shorter ones may be in any text. */
const TELLING_LENGTH = 3;

/** Whether a text contains the id or the name of a user. */
export function tellsOf(text: string, { userId, name }: User): boolean {
  return [userId, name].some((word) => word.length >= TELLING_LENGTH && text.includes(word));
}

/** What an identity provider calls a user of its own, which is behind its address in their id; undefined for other users. */
function subjectOf({ userId }: User): string | undefined {
  return /^https?:\/\/[^#]+#(.+)$/s.exec(userId)?.[1];
}

/** Fails when a tool shows that a call runs as somebody else. Returns whether the tool names the user. */
function requireUser({ name, text }: Said, { user, tellers }: Expectation): boolean {
  const claimed = TELLER.test(name) ? /"userId"\s*:\s*"([^"]+)"/.exec(text)?.[1] : undefined;
  const isUser = claimed !== undefined && [user.userId, subjectOf(user)].includes(claimed);
  const told = isUser || tellsOf(text, user);
  if ((claimed !== undefined && !isUser) || (!told && tellers?.has(name) === true))
    throw new CheckFailure(
      `Wrong user: calls run as ${claimed ?? 'somebody else'}, GET /tools is answered as ${user.userId}: ${name} shows it.`,
      'Something in front of this transport passes on another credential, or the server confuses its callers.',
    );
  if (told) tellers?.add(name);
  return told;
}
