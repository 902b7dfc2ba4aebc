/** The entry of the page for admins: signs in, loads the lists, and handles the buttons. */
import { byId, element } from '../page/element.js';
import { ApiError, createApi } from './api.js';
import { ask, connectDialog, emptyQuestion } from './ask.js';
import { closeDialogs } from './dialog.js';
import { connectEditor, edit, emptyEditor } from './edit.js';
import { createPeopleTable } from './people.js';
import { countOf, questionOf } from './questions.js';
import { showSessions } from './sessions.js';
import { createSheet } from './sheet.js';

/**
 * @typedef {import('./api.js').Api} Api
 * @typedef {import('./api.js').TokenFacts} TokenFacts
 */

/** @type {Api | undefined} */
let api;
/** Aborted when the sign-in of `api` ends, and with it all its requests. */
let signInOfNow = new AbortController();
const table = createPeopleTable((token) => void change(token));
const sheet = createSheet(() => byId('people-title', HTMLElement).focus());

/**
 * Does work with the API, and shows how it ended.
 *
 * @param {(api: Api) => Promise<string | void>} work returns the message to show
 */
async function run(work) {
  if (api === undefined) return;
  const { signal: signedIn } = signInOfNow;
  byId('problem', HTMLElement).replaceChildren();
  say('…');
  try {
    const words = (await work(api)) ?? '';
    if (!signedIn.aborted) say(words);
  } catch (error) {
    // The admin who asked has signed out: the message is not for the one who is signed in now.
    if (signedIn.aborted) return;
    if (!(error instanceof ApiError)) throw error;
    say('');
    // The token may have been disabled or removed meanwhile: nothing stays here for the next person.
    if (error.isRefusal) forget();
    byId('problem', HTMLElement).replaceChildren(element('p', { class: 'refusal' }, error.message));
  }
}

/** Shows either the form to sign in, or the lists. */
function showDesk() {
  const isIn = api !== undefined;
  byId('sign-in', HTMLElement).hidden = isIn;
  for (const id of ['desk', 'places', 'sign-out']) byId(id, HTMLElement).hidden = !isIn;
}

/** Forgets the token, removes everything that was shown or typed with it, and aborts requests. */
function forget() {
  signInOfNow.abort();
  api = undefined;
  closeDialogs();
  emptyEditor();
  emptyQuestion();
  for (const id of ['add-one', 'add-many']) byId(id, HTMLFormElement).reset();
  byId('search', HTMLInputElement).value = '';
  table.show([]);
  showSessions([], () => {});
  sheet.clear();
  for (const id of ['usage-hint', 'fixed', 'scopes-hint', 'problem']) byId(id, HTMLElement).replaceChildren();
  showDesk();
  byId('token', HTMLElement).focus();
}

/**
 * Shows a message about the last action.
 *
 * @param {string} words
 */
function say(words) {
  byId('state', HTMLElement).textContent = words;
}

/**
 * Loads everything that is shown.
 *
 * @param {Api} from
 */
async function load(from) {
  const [{ store, scopes, tokens, usage }, sessions] = await Promise.all([from.people(), from.sessions()]);
  byId('usage-hint', HTMLElement).textContent = usage;
  const fixed = byId('fixed', HTMLElement);
  fixed.textContent = store.fixedBecause ?? '';
  fixed.hidden = store.fixedBecause === null;
  for (const id of ['add', 'actions']) byId(id, HTMLElement).hidden = store.fixedBecause !== null;
  byId('scopes-hint', HTMLElement).textContent =
    `Scopes on this server: ${scopes.join(', ') || 'none'}. An empty field grants all of them, but not "admin", which opens this page.`;
  table.show(tokens, store.fixedBecause === null);
  showSessions(sessions, ({ session, userId }) => {
    void run(async (now) => {
      await now.endSession(session);
      await load(now);
      byId('sessions-title', HTMLElement).focus();
      return `The session of ${userId} has ended.`;
    });
  });
}

/**
 * Makes tokens and shows their links.
 *
 * @param {unknown} wish
 * @param {HTMLFormElement} form
 */
async function create(wish, form) {
  await run(async (now) => {
    const { tokens, skipped = 0, warning } = await now.create(wish);
    // Shown before anything else can fail: these links cannot be shown again.
    sheet.show(tokens, warning);
    form.reset();
    await load(now);
    const left =
      skipped === 0 ? '' : `; ${skipped} ${skipped === 1 ? 'person' : 'people'} already had a token`;
    const links = countOf(tokens.length, 'link');
    return `${links} made${left}.`;
  });
}

byId('sign-in', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const input = byId('token', HTMLInputElement);
  // An earlier sign-in may still be in progress.
  forget();
  signInOfNow = new AbortController();
  api = createApi(input.value.trim(), signInOfNow.signal);
  void run(async (now) => {
    await load(now);
    input.value = '';
    showDesk();
    byId('people-title', HTMLElement).focus();
  });
});
byId('sign-out', HTMLElement).addEventListener('click', () => {
  forget();
  say('This page has forgotten the token.');
});
connectDialog();
connectEditor();
byId('reload', HTMLElement).addEventListener('click', () => void run(load));
byId('add-one', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const person = {
    user: valueOf('one-user'),
    name: valueOf('one-name'),
    scopes: valueOf('one-scopes'),
    expires: valueOf('one-expires'),
  };
  const filled = Object.fromEntries(Object.entries(person).filter(([, value]) => value !== ''));
  void create({ people: [filled] }, byId('add-one', HTMLFormElement));
});
byId('add-many', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  void create({ table: byId('table', HTMLTextAreaElement).value }, byId('add-many', HTMLFormElement));
});
byId('file', HTMLInputElement).addEventListener('change', () => {
  const [file] = byId('file', HTMLInputElement).files ?? [];
  const { signal: signedIn } = signInOfNow;
  void file?.text().then((text) => {
    if (!signedIn.aborted) byId('table', HTMLTextAreaElement).value = text;
    return text;
  });
});
for (const button of document.querySelectorAll('[data-action]')) {
  if (!(button instanceof HTMLButtonElement)) continue;
  button.addEventListener('click', () => void act(button.dataset['action'] ?? '', button.textContent));
}

/**
 * Carries out an action on the chosen tokens.
 *
 * @param {string} action
 * @param {string} label the label of its button
 */
async function act(action, label) {
  const chosen = table.chosen();
  const ids = chosen.tokens.map(({ id }) => id);
  if (ids.length === 0) return say('Choose tokens first.');
  const question = questionOf({ action, label, ...chosen });
  const answer = question && (await ask(question));
  if (question && answer === undefined) return;
  await run(async (now) => {
    const { tokens, warning } = await now.change({ action, ids, ...(answer && { expires: answer }) });
    sheet.show(tokens, warning);
    table.clear();
    await load(now);
    return `Done for ${countOf(ids.length)}.`;
  });
}

/**
 * Edits one person's entry.
 *
 * @param {TokenFacts} token
 */
async function change({ id, ...facts }) {
  await run(async (now) => {
    // Nothing is in progress while the admin types.
    say('');
    const isChanged = await edit(
      { id, ...facts },
      {
        save: async (wish, version) => now.change({ action: 'edit', ids: [id], version, ...wish }),
        latest: async () => (await now.people()).tokens.find((token) => token.id === id),
      },
    );
    // Without a change, the browser itself returns the focus to the button that opened the form.
    if (!isChanged) return '';
    await load(now);
    table.focus(id);
    return `${facts.userId} has been changed.`;
  });
}

/**
 * The trimmed value of a field.
 *
 * @param {string} id
 */
function valueOf(id) {
  return byId(id, HTMLInputElement).value.trim();
}
