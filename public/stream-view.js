/** Shows a stream's events and heartbeats as they arrive: of the SSE transport, or of a 2026-07-28 subscription. */
import { announce, byId, element, shorten } from './element.js';
import { readEvents } from './event-stream.js';
import { refusalIn } from './mcp-client.js';
import { asRequestError, envelope } from './mcp-messages.js';
import { pathBelow } from './server-address.js';

/** @typedef {import('./mcp-client.js').McpClient} McpClient */

/** How many lines are kept: a stream may stay open for days. */
const MAX_LINES = 200;

/** Connects the card of the stream. `use` gives it the client of a new user, and closes the stream of the user before. */
export function connectStreamView() {
  const isSse = document.body.dataset['sse'] === 'on';
  const toggle = byId('stream-toggle', HTMLButtonElement);
  const ping = byId('stream-ping', HTMLButtonElement);
  const state = byId('stream-state', HTMLElement);
  const log = byId('stream', HTMLElement);
  const what = isSse ? 'GET /sse' : 'POST /mcp subscriptions/listen';
  /** @type {McpClient | undefined} */
  let client;
  /** @type {AbortController | undefined} */
  let open;
  let endpoint = '';
  let pings = 0;

  /** @param {boolean} isOpen */
  const setOpen = (isOpen) => {
    toggle.textContent = isOpen ? 'Close' : 'Open';
    ping.hidden = !isOpen || !isSse;
  };

  /** @param {McpClient} user */
  const run = async (user) => {
    const abort = new AbortController();
    open = abort;
    const counts = { events: 0, heartbeats: 0 };
    const startedMs = performance.now();
    log.replaceChildren();
    state.textContent = `Opening ${what} …`;
    setOpen(true);
    try {
      const response = await user.send(...requestFor(isSse, abort.signal));
      if (open !== abort) return;
      if (!response.ok || response.body === null) throw await refusalIn(response);
      state.textContent = `${what} is open. The server sends a heartbeat when it has nothing else to send.`;
      for await (const item of readEvents(response.body)) {
        // An item that has arrived already may be read when another user has taken over.
        if (open !== abort) return;
        if (item.kind === 'event') counts.events += 1;
        if (item.kind === 'comment') counts.heartbeats += 1;
        if (item.kind === 'event' && item.event === 'endpoint') endpoint = pathBelow(item.data);
        addLine(log, item, performance.now() - startedMs);
      }
      if (open !== abort) return;
      state.textContent = `The server ended the stream: ${countOf(counts)}.`;
      // If the server ended the stream because it refuses the token now, another request shows that.
      void user.send('/tools').catch(() => undefined);
    } catch (error) {
      if (open !== abort) return;
      state.textContent = abort.signal.aborted ? `Closed: ${countOf(counts)}.` : wordsOf(error);
    }
    if (open !== abort) return;
    open = undefined;
    setOpen(false);
  };

  /** @param {McpClient} user */
  const sendPing = async (user) => {
    pings += 1;
    const body = { jsonrpc: '2.0', id: `ping-${pings}`, method: 'ping' };
    const response = await user.send(endpoint, { body, headers: { 'Content-Type': 'application/json' } });
    if (!response.ok) throw await refusalIn(response);
    announce('Ping sent; the answer comes on the stream.');
    await response.body?.cancel();
  };

  toggle.addEventListener('click', () => {
    if (open !== undefined) open.abort();
    else if (client !== undefined) void run(client);
  });
  ping.addEventListener('click', () => {
    const user = client;
    if (user === undefined) return;
    sendPing(user).catch((/** @type {unknown} */ error) => {
      if (client === user) state.textContent = wordsOf(error);
    });
  });

  return {
    /** @param {McpClient | undefined} next */
    use(next) {
      open?.abort();
      open = undefined;
      setOpen(false);
      client = next;
      log.replaceChildren();
      state.textContent = `${what} stays open, and shows here what the server sends.`;
    },
  };
}

/**
 * The request that opens the stream.
 *
 * @param {boolean} isSse
 * @param {AbortSignal} signal
 * @returns {Parameters<McpClient['send']>}
 */
function requestFor(isSse, signal) {
  if (isSse) return ['/sse', { signal }];
  const params = { notifications: { toolsListChanged: true } };
  const { message, headers } = envelope('page-stream', 'subscriptions/listen', params);
  return ['/mcp', { body: message, headers, signal }];
}

/**
 * Adds a line at the end, and scrolls there, unless the user has scrolled up.
 *
 * @param {HTMLElement} log
 * @param {import('./event-stream.js').StreamItem} item
 * @param {number} sinceMs
 */
function addLine(log, item, sinceMs) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  const time = element('span', { class: 'time' }, `${(sinceMs / 1000).toFixed(1)} s`);
  const kind = item.kind === 'comment' ? 'heartbeat' : item.kind === 'event' ? item.event : 'retry';
  const text = item.kind === 'event' ? item.data : item.text;
  const line = element('div', { class: `line ${item.kind}` }, time, element('span', { class: 'kind' }, kind));
  line.append(element('code', {}, item.kind === 'comment' ? `: ${text}` : shorten(text)));
  log.append(line);
  while (log.children.length > MAX_LINES) log.firstElementChild?.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

/**
 * Describes the failure of a request.
 *
 * @param {unknown} error
 */
function wordsOf(error) {
  const { message, status, code } = asRequestError(error);
  return `${message} (${[status, code].filter(Boolean).join(' · ')})`;
}

/**
 * Describes what has arrived.
 *
 * @param {{ events: number, heartbeats: number }} counts
 */
function countOf({ events, heartbeats }) {
  return `${events} ${events === 1 ? 'event' : 'events'}, ${heartbeats} ${heartbeats === 1 ? 'heartbeat' : 'heartbeats'}`;
}
