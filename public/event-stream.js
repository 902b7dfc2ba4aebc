/** Reads server-sent events from a fetch body: EventSource cannot send an Authorization header, and hides comments. */

/**
 * One item of a stream: an event, a comment (heartbeats are comments), or the time to wait before reconnecting.
 *
 * @typedef {{ kind: 'event', event: string, data: string }
 *   | { kind: 'comment', text: string }
 *   | { kind: 'retry', text: string }} StreamItem
 */

/**
 * Yields each item as it arrives, until the stream ends.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<StreamItem, void, undefined>}
 */
export async function* readEvents(body) {
  let event = '';
  /** @type {string[]} */
  let data = [];
  for await (const line of readLines(body)) {
    if (line === '') {
      if (data.length > 0) yield { kind: 'event', event: event || 'message', data: data.join('\n') };
      event = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (colon === 0) yield { kind: 'comment', text: value };
    else if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'retry') yield { kind: 'retry', text: value };
  }
}

/**
 * Yields the lines of a body, each when its end has arrived.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<string, void, undefined>}
 */
async function* readLines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.replace(/\r$/, '');
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
