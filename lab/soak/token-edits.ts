/** Edits the token file while the server is under load: an added user must get in; a removed one must be refused and lose the stream. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { rename, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeToken, type ServerChild, tokenFileText } from '../fuzz/server-child.ts';
import { openSse, type SoakUser } from './workers.ts';

/** How soon an edit must take effect. Milliseconds. */
const EDIT_DEADLINE_MS = 5_000;

/**
 * Adds a guest and removes it again.
 * @throws {Error} when one of the two edits does not take effect in time
 */
export async function editTokens(
  { url, tokensFile }: Pick<ServerChild, 'url' | 'tokensFile'>,
  users: readonly SoakUser[],
): Promise<void> {
  const standing = Object.fromEntries(users.map(({ token, ...entry }) => [token, entry]));
  const guest = makeToken();
  await replaceByRename(tokensFile, tokenFileText({ ...standing, [guest]: { userId: 'guest' } }));
  await until(async () => (await statusOf(url, guest)) === 200, 'a token that was added does not work');
  const stream = await openSse({ url: url.href }, guest);
  // Written in place, with a moment at which the file is half written.
  const text = tokenFileText(standing);
  await writeFile(tokensFile, text.slice(0, text.length / 2));
  await sleep(20);
  await writeFile(tokensFile, text);
  await until(async () => (await statusOf(url, guest)) === 401, 'a token that was removed still works');
  await until(async () => stream.isOver(), 'the stream of a removed token stays open');
  stream.close();
}

/** Writes a new file and renames it over the old one, as editors do. */
async function replaceByRename(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** The status of a protected route. Uses a connection of its own, since a kept one would count as growth. */
async function statusOf(url: URL, token: string): Promise<number | undefined> {
  const req = request(new URL('/tools', url), {
    agent: false,
    headers: { Authorization: `Bearer ${token}` },
  });
  req.end();
  // oxlint-disable-next-line no-unsafe-type-assertion -- 'response' carries one
  const [response] = (await once(req, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'close');
  return response.statusCode;
}

/** Waits until a condition holds; throws `problem` when it does not in time. */
async function until(condition: () => Promise<boolean>, problem: string): Promise<void> {
  const deadlineMs = Date.now() + EDIT_DEADLINE_MS;
  for (let looks = 1; !(await condition()); looks += 1) {
    if (Date.now() > deadlineMs)
      throw new Error(`${problem} after ${EDIT_DEADLINE_MS / 1000} s and ${looks} looks`);
    await sleep(50);
  }
}
