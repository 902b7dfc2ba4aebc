/** The workers of the soak: calls with known answers over changing connections, broken connections, slow and dead readers. */
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_KINDS, connectClient, inTime, type SoakClient } from './clients.ts';
import { mayHaveBeenIdle } from './idle.ts';

/** A user of the soak. */
export interface SoakUser {
  readonly userId: string;
  readonly name: string;
  readonly token: string;
}

/** What the workers share. */
export interface Load {
  readonly url: string;
  readonly users: readonly SoakUser[];
  /** Whether the load goes on. */
  isOn(): boolean;
  /** Counts what has been done, by name. */
  count(what: string, times?: number): void;
}

/** Connects, calls, checks the answers, leaves in one way or the other, and starts again with another user and kind of client. */
export async function churn(load: Load): Promise<void> {
  while (load.isOn()) {
    const user = pick(load.users);
    const kind = pick(CLIENT_KINDS);
    let askedMs = Date.now();
    try {
      const client = await inTime(connectClient(kind, load.url, user.token), `a connection (${kind})`);
      load.count(`${kind} connections`);
      for (let round = randomInt(1, 6); round > 0 && load.isOn(); round -= 1) {
        const beginMs = Date.now();
        await callAtOnce(load, client, user);
        askedMs = beginMs;
      }
      await (randomInt(3) === 0 ? client.vanish() : client.leave());
    } catch (error) {
      if (mayHaveBeenIdle(describe(error), Date.now() - askedMs)) load.count('ended while they were quiet');
      else throw new Error(`${kind} of ${user.userId}: ${describe(error)}`, { cause: error });
    }
  }
}

/** Makes several calls at once: each answer must be for this call and this user. */
async function callAtOnce(load: Load, client: SoakClient, user: SoakUser): Promise<void> {
  const one = async (): Promise<void> => {
    const mark = `${user.userId}-${randomUUID()}`;
    const message = `${mark} ☃ ${'x'.repeat(randomInt(8) === 0 ? randomInt(60_000) : randomInt(200))}`;
    const [name, input, expected] = pick<readonly [string, object, string | RegExp]>([
      ['echo_message', { message }, message],
      ['get_greeting', { name: mark }, `Hello, ${mark}!`],
      ['get_greeting', { name: null }, `Hello, ${user.name}!`],
      ['whoami', {}, new RegExp(`"userId":"${user.userId}"`)],
    ]);
    const text = await client.call(name, { ...input });
    const fits = typeof expected === 'string' ? text === expected : expected.test(text);
    if (!fits) throw new Error(`misdelivered: ${name} answered ${text.slice(0, 120)}`);
    load.count('calls');
  };
  await Promise.all(Array.from({ length: randomInt(1, 6) }, one));
  if (randomInt(10) === 0 && (await client.toolNames()).length === 0)
    throw new Error('the list of tools is empty');
}

/** Breaks off connections in the middle of requests and streams; no other client may notice. */
export async function kill(load: Load): Promise<void> {
  while (load.isOn()) {
    const { token } = pick(load.users);
    const stateless = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    const req =
      randomInt(2) === 0
        ? ask(load, token, { path: '/sse' })
        : ask(load, token, { path: '/mcp', method: 'POST' });
    if (req.method === 'POST') req.write(JSON.stringify(stateless).slice(0, randomInt(1, 40)));
    else req.end();
    await sleep(randomInt(1, 60));
    req.destroy();
    load.count('kills');
    await sleep(randomInt(5, 50));
  }
}

/** Reads an SSE stream late and in small pieces. It stays below the limit of what may wait in the server, so it must get everything. */
export async function readSlowly(load: Load): Promise<void> {
  while (load.isOn()) {
    const { token } = pick(load.users);
    const stream = await openSse(load, token);
    stream.response.pause();
    const marks = Array.from({ length: 24 }, () => `slow-${randomUUID()}`);
    for (const [id, mark] of marks.entries()) {
      const status = await stream.call(id, `${mark}${'y'.repeat(30_000)}`);
      if (status !== 202) throw new Error(`a slow reader's call was answered ${status}`);
    }
    await sleep(500);
    stream.response.on('data', () => {
      stream.response.pause();
      setTimeout(() => stream.response.resume(), 2);
    });
    stream.response.resume();
    const isWhole = (): boolean =>
      marks.every((mark) => stream.text().includes(mark)) && stream.text().endsWith('\n\n');
    for (const startMs = Date.now(); !isWhole(); await sleep(20)) {
      const missing = marks.filter((mark) => !stream.text().includes(mark)).length;
      if (Date.now() - startMs > 15_000)
        throw new Error(`lost: a slow reader misses ${missing} of ${marks.length} answers`);
    }
    stream.close();
    load.count('slow reads', marks.length);
  }
}

/** Never reads: the server must cut the stream, and end its session, before much waits. */
export async function neverRead(load: Load): Promise<void> {
  while (load.isOn()) {
    const { token } = pick(load.users);
    const stream = await openSse(load, token);
    stream.response.pause();
    let status = 202;
    let posts = 0;
    // The kernel buffers some megabytes before anything waits in the server.
    for (; status === 202 && posts < 600; posts += 1) {
      status = await stream.call(posts, 'z'.repeat(100_000));
      if (posts > 120) await sleep(100);
    }
    stream.close();
    if (status !== 404)
      throw new Error(`a reader that never reads was not cut after ${posts} answers (${status})`);
    load.count('dead readers cut');
    await sleep(200);
  }
}

/** A session of HTTP+SSE whose bytes can be examined. */
export interface RawSse {
  readonly response: IncomingMessage;
  text(): string;
  /** Whether the stream is over. */
  isOver(): boolean;
  /** Calls `echo_message`; returns the status of the POST. */
  call(id: number, message: string): Promise<number>;
  close(): void;
}

/** Opens a session of HTTP+SSE. */
export async function openSse(load: Pick<Load, 'url'>, token: string): Promise<RawSse> {
  const req = ask(load, token, { path: '/sse' });
  req.end();
  const [response] = (await inTime(once(req, 'response'), 'the SSE stream')) as [IncomingMessage]; // oxlint-disable-line no-unsafe-type-assertion -- 'response' carries one
  let [text, over] = ['', false];
  response.setEncoding('utf8').on('data', (part: string) => (text += part));
  response.on('error', () => undefined).once('close', () => (over = true));
  if (response.statusCode !== 200) throw new Error(`GET /sse was answered ${response.statusCode}`);
  while (!text.includes('\n\n')) await inTime(once(response, 'data'), 'the endpoint event');
  const endpoint = /data: (\S+)/.exec(text)?.[1] ?? '';
  return {
    response,
    text: () => text,
    isOver: () => over,
    async call(id, message) {
      const params = { name: 'echo_message', arguments: { message } };
      const posted = ask(load, token, { path: endpoint, method: 'POST' });
      posted.end(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }));
      const [answer] = (await inTime(once(posted, 'response'), 'the answer to a POST')) as [IncomingMessage]; // oxlint-disable-line no-unsafe-type-assertion -- 'response' carries one
      answer.resume();
      return answer.statusCode ?? 0;
    },
    close: () => req.destroy(),
  };
}

/** Makes a request on a connection of its own. */
function ask(
  { url }: Pick<Load, 'url'>,
  token: string,
  { path, method = 'GET' }: { path: string; method?: string },
): ClientRequest {
  const headers = {
    Authorization: `Bearer ${token}`,
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
  };
  // A connection that a worker breaks off reports an error, which is expected.
  return request(new URL(path, url), { agent: false, method, headers }).on('error', () => undefined);
}

/** Picks one of a list at random. */
function pick<T>(list: readonly T[]): T {
  const found = list[randomInt(list.length)];
  if (found === undefined) throw new Error('Nothing to pick from.');
  return found;
}

/** The message of an error, with those of its causes. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${describe(error.cause)})`;
}
