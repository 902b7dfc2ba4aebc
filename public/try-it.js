/** "Try it": takes a token, shows its user and what it may use, and hands it to the parts that make requests. */
import { createTokenOffer } from './code-block.js';
import { announce, byId, element } from './element.js';
import { createMcpClient } from './mcp-client.js';
import { asObject, asRequestError } from './mcp-messages.js';
import { readOffer } from './offer.js';
import { hideOffer, showOffer } from './offer-list.js';
import { connectStreamView } from './stream-view.js';
import { hidePersonal, showPersonal, takeTokenFromAddress } from './personal.js';
import { logExchange } from './wire-log.js';

/** @typedef {import('./mcp-client.js').Json} Json */
/** @typedef {import('./mcp-client.js').McpClient} McpClient */

/** Starts the part; without authentication it signs in at once. */
export function startTryIt() {
  const needsToken = document.body.dataset['auth'] === 'on';
  const form = byId('sign-in', HTMLFormElement);
  const input = byId('token', HTMLInputElement);
  const streamView = connectStreamView();
  const tokenOffer = createTokenOffer();
  let signInOfNow = new AbortController();

  /** Ends the sign-in, even one in progress: its requests, and everything that it shows. */
  const forget = () => {
    signInOfNow.abort();
    streamView.use(undefined);
    tokenOffer.use(undefined);
    wire().replaceChildren();
    hideOffer();
    hideUser();
    hidePersonal();
    byId('workbench', HTMLElement).hidden = true;
  };
  /** @param {import('./mcp-messages.js').RequestError} [problem] why, unless it was asked for */
  const signOut = (problem) => {
    forget();
    form.hidden = false;
    showProblem(problem);
    input.focus();
    if (problem === undefined) announce('This page has forgotten the token.');
  };
  /** @param {{ isPersonal?: boolean }} [options] whether the token came by a link of its user's own */
  const signIn = async ({ isPersonal = false } = {}) => {
    const token = input.value.trim();
    showProblem(undefined);
    forget();
    signInOfNow = new AbortController();
    const { signal: signedIn } = signInOfNow;
    let isIn = false;
    const client = createMcpClient({
      token,
      signedIn,
      onExchange: (exchange) => logExchange(wire(), exchange),
      // A token may be revoked, or expire, while the page is open.
      onRefused: (problem) => {
        if (isIn && !signedIn.aborted) signOut(problem);
      },
    });
    try {
      const offer = await readOffer(client);
      const { tools } = offer;
      const user = { ...offer.user, ...(await askWho(client, tools)) };
      // An answer that has arrived already may be read to its end after the sign-in has ended.
      signedIn.throwIfAborted();
      isIn = true;
      input.value = '';
      showUser(user, needsToken);
      showOffer(client, offer);
      streamView.use(client);
      if (needsToken) tokenOffer.use(token, { atOnce: isPersonal });
      form.hidden = true;
      byId('workbench', HTMLElement).hidden = false;
      if (isPersonal) showPersonal({ name: nameOf(user), tools: tools.map(({ title }) => title), token });
      else if (needsToken) byId('who', HTMLElement).focus();
    } catch (error) {
      // Another sign-in has begun meanwhile, or this one has ended.
      if (signedIn.aborted) return;
      form.hidden = !needsToken;
      showProblem(asRequestError(error));
      if (isPersonal) byId('try', HTMLElement).scrollIntoView();
      if (needsToken) input.select();
    }
  };
  /** Signs in with the token of the address, if there is one. */
  const followLink = () => {
    const token = takeTokenFromAddress();
    if (token === undefined || !needsToken) return;
    input.value = token;
    void signIn({ isPersonal: true });
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void signIn();
  });
  byId('sign-out', HTMLButtonElement).addEventListener('click', () => signOut());
  toggleVisibility(input, byId('token-show', HTMLButtonElement));

  byId('try-app', HTMLElement).hidden = false;
  form.hidden = !needsToken;
  byId('sign-out', HTMLElement).hidden = !needsToken;
  if (!needsToken) void signIn();
  followLink();
  // The link may be opened in a tab that has the page open already.
  addEventListener('hashchange', followLink);
}

/** The element with the list of messages. */
function wire() {
  return byId('wire', HTMLElement);
}

/**
 * Asks the tool `whoami` for more about the user, if there is one.
 *
 * @param {McpClient} client
 * @param {readonly import('./offer.js').Tool[]} tools
 * @returns {Promise<Json>}
 */
async function askWho(client, tools) {
  if (!tools.some(({ name }) => name === 'whoami')) return {};
  const { structuredContent } = await client.request('tools/call', { name: 'whoami', arguments: {} });
  return { scopes: undefined, isWhole: true, ...asObject(structuredContent) };
}

/**
 * The name to show for a user.
 *
 * @param {Json} user
 */
function nameOf({ name, userId }) {
  if (typeof name === 'string') return name;
  return typeof userId === 'string' ? userId : 'Signed in';
}

/**
 * Shows who is signed in.
 *
 * @param {Json} user
 * @param {boolean} needsToken
 */
function showUser(user, needsToken) {
  const { userId, scopes, isWhole } = user;
  const shownName = nameOf(user);
  const rights = Array.isArray(scopes) ? scopes.map(String) : undefined;
  const facts = element('p', { class: 'aside' });
  if (typeof userId === 'string') facts.append('User ', element('code', {}, userId), ' · ');
  // Only `whoami` knows that there are no limits.
  if (rights === undefined && isWhole === true) facts.append('every tool');
  if (rights !== undefined)
    facts.append('scopes: ', ...rights.flatMap((scope) => [element('code', { class: 'chip' }, scope), ' ']));
  if (!needsToken) facts.append(' · authentication is off, so everybody is this user');
  byId('who', HTMLElement).replaceChildren(element('p', { class: 'who-name' }, shownName), facts);
  byId('who-initial', HTMLElement).textContent = shownName.slice(0, 1).toUpperCase();
}

/** Removes the user from the page. */
function hideUser() {
  byId('who', HTMLElement).replaceChildren();
  byId('who-initial', HTMLElement).textContent = '';
}

/**
 * Shows why the server refused, in its own words; undefined removes it.
 *
 * @param {import('./mcp-messages.js').RequestError | undefined} problem
 */
function showProblem(problem) {
  const place = byId('sign-in-problem', HTMLElement);
  if (problem === undefined) return place.replaceChildren();
  const label = [problem.status, problem.code].filter(Boolean).join(' · ');
  place.replaceChildren(
    element(
      'div',
      { class: 'refusal' },
      element('p', {}, element('strong', {}, 'The server refused: '), problem.message),
      element('p', { class: 'aside' }, element('code', {}, label)),
    ),
  );
}

/**
 * Makes a button that shows or hides the pasted token.
 *
 * @param {HTMLInputElement} input
 * @param {HTMLButtonElement} button
 */
function toggleVisibility(input, button) {
  button.addEventListener('click', () => {
    const show = input.type === 'password';
    input.type = show ? 'text' : 'password';
    button.textContent = show ? 'Hide' : 'Show';
    button.setAttribute('aria-pressed', String(show));
  });
}
