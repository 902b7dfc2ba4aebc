/** Opens event streams as raw HTTP, to see what a client library would hide: the bytes, and whether the stream ended cleanly. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import type { Sandbox } from './process.ts';

/** A stream that has been opened. */
export interface OpenStream {
  readonly status: number;
  /** What has arrived so far. */
  text(): string;
  isOpen(): boolean;
  /** Resolves when the stream is over: true when the server ended it, false when the connection broke. */
  readonly ended: Promise<boolean>;
}

/** The request that opens a stream. */
export interface StreamRequest {
  readonly url: string | URL;
  readonly token: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Opens a stream with GET and keeps it open; the sandbox closes it. */
export async function openStream(
  sandbox: Sandbox,
  { url, token, headers = {} }: StreamRequest,
): Promise<OpenStream> {
  const req: ClientRequest = request(url, {
    agent: false,
    headers: { Accept: 'text/event-stream', Authorization: `Bearer ${token}`, ...headers },
  });
  sandbox.defer(async () => req.destroy());
  req.end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  let text = '';
  res.setEncoding('utf8').on('data', (part: string) => (text += part));
  const ended = new Promise<boolean>((resolve) => {
    res.once('close', () => resolve(res.complete));
    // The request reports a broken connection as well; the 'close' above is enough.
    for (const side of [req, res]) side.on('error', () => undefined);
  });
  return { status: res.statusCode ?? 0, text: () => text, isOpen: () => !res.closed, ended };
}
