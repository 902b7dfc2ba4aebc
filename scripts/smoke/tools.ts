/** Steps 3 to 6: the tools, as `GET /tools` lists them and as clients of each transport see and call them. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ToolClient } from './clients.ts';
import { ask, requireJson, type Target } from './http.ts';
import { CheckFailure } from './outcome.ts';
import type { Passed } from './steps.ts';

/** The tools that the token opens. */
export interface ToolList extends Passed {
  readonly names: readonly string[];
}

/** What is expected of calls. */
export interface Expectation {
  readonly names: readonly string[];
  /** Whom the calls must run as; anybody when nobody is named yet. */
  readonly userId: string | undefined;
}

/** The outcome of a round of calls. */
export interface Round extends Passed {
  /** Whom the calls ran as, when a tool could tell. */
  readonly userId: string | undefined;
}

const TOOLS = z.looseObject({ tools: z.array(z.looseObject({ name: z.string() })) });
const RESULT = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ text: z.string().optional() })),
});
const IDENTITY = z.looseObject({ userId: z.string() });

/** `GET /tools` with the token. */
export async function listTools(target: Target, authEnabled: boolean): Promise<ToolList> {
  if (authEnabled && target.token === undefined) {
    const advice = 'Pass --token or set SMOKE_TOKEN: without one only refusals can be checked.';
    throw new CheckFailure('The server asks for a token, and none was given.', advice);
  }
  const answer = await ask(target, '/tools', { token: target.token });
  const names = requireJson(answer, [200], TOOLS).tools.map(({ name }) => name);
  return { detail: names.join(', ') || 'none for this user', names };
}

/** Lists the tools and calls every example tool that is there; a fork's own tools are left alone. Closes the client. */
export async function callTools(client: ToolClient, expected: Expectation): Promise<Round> {
  try {
    const names = (await client.listTools()).tools.map(({ name }) => name);
    if (names.join() !== expected.names.join()) {
      const advice =
        'Two servers seem to answer under this URL, or one that was just replaced: run it again.';
      throw new CheckFailure(
        `The client sees the tools ${names.join(', ')}; GET /tools lists others.`,
        advice,
      );
    }
    const userId = names.includes('whoami') ? await whoAmI(client) : undefined;
    requireUser(userId, expected.userId);
    if (names.includes('get_greeting')) await checkText(client, 'get_greeting', { name: 'Smoke' }, /Smoke/);
    // Beyond ASCII, since proxies and clients have been seen to break it; random, so that no cache can answer.
    const message = `smoke ${randomUUID()} – ünïcödé ✓`;
    if (names.includes('echo_message'))
      await checkText(client, 'echo_message', { message }, new RegExp(`: ${message}$`));
    const as =
      userId === undefined ? 'whoami is not among them, so the user was not checked' : `as ${userId}`;
    return { detail: `${names.length} tools listed, the examples called, ${as}`, userId };
  } finally {
    await client.close();
  }
}

/** The user that a client's calls run as, which `whoami` tells. */
export async function whoAmI(client: ToolClient): Promise<string> {
  const text = await callForText(client, 'whoami', {});
  try {
    return IDENTITY.parse(JSON.parse(text)).userId;
  } catch (cause) {
    throw new CheckFailure(
      'whoami does not tell a userId.',
      'Has the tool been changed? The smoke test reads it.',
      { cause },
    );
  }
}

/** Fails unless calls run as the user they should. */
function requireUser(userId: string | undefined, expected: string | undefined): void {
  if (expected === undefined || userId === expected) return;
  if (userId === undefined)
    throw new CheckFailure(
      `Whether calls run as ${expected} cannot be told: there is no tool whoami.`,
      'Give the token the tool, or leave out --expect-user.',
    );
  throw new CheckFailure(
    `Wrong user: calls run as ${userId}, not as ${expected}.`,
    'The token belongs to somebody else than you think, or the server mixes up its callers: compare with its token file.',
  );
}

/** Calls a tool and fails unless its text fits. */
async function checkText(
  client: ToolClient,
  name: string,
  input: Record<string, unknown>,
  fits: RegExp,
): Promise<void> {
  const text = await callForText(client, name, input);
  if (!fits.test(text))
    throw new CheckFailure(
      `${name} answered something else than it was asked for.`,
      'Has the tool been changed? Otherwise something on the way changes messages.',
    );
}

/** The text of a tool's answer; an error result is a failure. */
async function callForText(
  client: ToolClient,
  name: string,
  input: Record<string, unknown>,
): Promise<string> {
  const { content, isError } = RESULT.parse(await client.callTool({ name, arguments: input }));
  const text = content.map((part) => part.text ?? '').join('');
  if (isError === true)
    throw new CheckFailure(`${name} failed: ${text.slice(0, 200)}`, "The server's log has the reason.");
  return text;
}
