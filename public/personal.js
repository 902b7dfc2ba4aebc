/** A person's own page: `/#token=…` signs in, disappears from the address bar, and offers every client in one click. */
import { byId, element } from './element.js';
import { CLICKS, copyOfClick } from './one-click.js';

/** @typedef {'windows' | 'macos' | 'linux' | 'phone'} Platform */

/**
 * Takes a token out of the address. Browsers never send the fragment to a server, and here it does not stay in the address bar either.
 *
 * @returns {string | undefined}
 */
export function takeTokenFromAddress() {
  // Mail programs and trackers append parameters that begin with `&`; in the link itself, a `&` is encoded.
  const [, written] = /^#token=([^&]+)/.exec(location.hash) ?? [];
  if (written === undefined) return undefined;
  history.replaceState(null, '', location.pathname + location.search);
  return tokenIn(decode(written).trim());
}

/**
 * Removes a full stop or bracket that was copied with the link, from a token whose form shows where it ends.
 *
 * @param {string} text
 */
function tokenIn(text) {
  return /^mcp_[\w-]+/.exec(text)?.[0] ?? text;
}

/**
 * Decodes a percent-encoded text; returns it as it is if it cannot be decoded.
 *
 * @param {string} written
 */
function decode(written) {
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}

/**
 * Greets the person, and offers the clients that run on this machine by one click.
 *
 * @param {{ name: string, tools: readonly string[], token: string }} person
 */
export function showPersonal({ name, tools, token }) {
  const platform = platformOf(navigator.userAgent);
  const clicks = [...document.querySelectorAll(`#connect ${CLICKS}`)].filter(
    (anchor) => anchor instanceof HTMLAnchorElement && !anchor.hidden && runsHere(anchor, platform),
  );
  byId('hello-name', HTMLElement).textContent = `Hello, ${name}`;
  byId('hello-tools', HTMLElement).textContent =
    tools.length === 0 ? 'Your token gives access to no tool yet.' : `Your tools: ${tools.join(', ')}.`;
  byId('hello-clicks', HTMLElement).replaceChildren(
    ...clicks.flatMap((anchor) =>
      anchor instanceof HTMLAnchorElement ? [element('li', {}, copyOfClick(anchor))] : [],
    ),
  );
  byId('hello-copies', HTMLElement).replaceChildren(
    copyButton('Your token', () => token),
    ...copies(platform),
  );
  setPersonal(true);
  byId('hello-name', HTMLElement).focus();
}

/** Removes everything personal from the page. */
export function hidePersonal() {
  for (const id of ['hello-name', 'hello-tools', 'hello-clicks', 'hello-copies', 'hello-state'])
    byId(id, HTMLElement).replaceChildren();
  setPersonal(false);
}

/**
 * Shows either the personal head of the page or the common one, so that there is only one heading of the first level.
 *
 * @param {boolean} isPersonal
 */
function setPersonal(isPersonal) {
  byId('hello', HTMLElement).hidden = !isPersonal;
  byId('intro', HTMLElement).hidden = isPersonal;
}

/**
 * Makes buttons that copy the configuration, one for each client without a link.
 *
 * @param {Platform} platform
 */
function copies(platform) {
  return [...document.querySelectorAll('.picker > details')].flatMap((client) => {
    if (!(client instanceof HTMLElement) || client.querySelector(CLICKS) || !runsHere(client, platform))
      return [];
    const title = client.querySelector('summary')?.textContent?.trim() ?? '';
    const where = client.querySelector('[data-where]')?.textContent?.trim() ?? '';
    return [copyButton(title, () => client.querySelector('code')?.textContent ?? '', where)];
  });
}

/**
 * Makes a button that copies a text, and says what to do with it.
 *
 * @param {string} what
 * @param {() => string} text
 * @param {string} [where]
 */
function copyButton(what, text, where) {
  const button = element('button', { type: 'button', class: 'quiet' }, what);
  const done = where === undefined ? `Copied: ${what}.` : `Copied for ${what}. It goes into ${where}.`;
  const handle = async () => {
    let words = done;
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      words = 'The browser does not let this page copy. Copy from the list below instead.';
    }
    // The browser may have asked the user for permission, and by now somebody else may be signed in.
    if (button.isConnected) byId('hello-state', HTMLElement).textContent = words;
  };
  button.addEventListener('click', () => void handle());
  return element('li', {}, button);
}

/**
 * Whether a client runs on this platform. One without `data-runs-on` runs on every computer.
 *
 * @param {HTMLElement} holder
 * @param {Platform} platform
 */
function runsHere(holder, platform) {
  const { runsOn } = holder.closest('details')?.dataset ?? holder.dataset;
  return runsOn ? runsOn.split(' ').includes(platform) : platform !== 'phone';
}

/**
 * The platform of a browser, by its User-Agent.
 *
 * @param {string} userAgent
 * @returns {Platform}
 */
function platformOf(userAgent) {
  if (/Android|iPhone|iPad|iPod|Mobile/.test(userAgent)) return 'phone';
  if (userAgent.includes('Windows')) return 'windows';
  return userAgent.includes('Mac') ? 'macos' : 'linux';
}
