/** The form that changes one person's entry. It sends only altered fields, so that two admins do not undo each other's changes. */
import { byId } from '../page/element.js';
import { ApiError } from './api.js';
import { open } from './dialog.js';

/** @typedef {import('./api.js').TokenFacts} TokenFacts */

/**
 * The values of the form, by their names in the API.
 *
 * @typedef {{ name: string, scopes: string, expires: string }} Wish
 */

/**
 * The requests that an edit makes.
 *
 * @typedef {object} EditWays
 * @property {(wish: Partial<Wish>, version: string) => Promise<unknown>} save rejects with the server's error
 * @property {() => Promise<TokenFacts | undefined>} latest reads the entry anew
 */

const dialog = byId('edit', HTMLDialogElement);

/** The entry as it was when the form was filled in. @type {TokenFacts | undefined} */
let before;

/** @type {EditWays | undefined} */
let ways;

/** The server's refusal of the admin's own token. @type {ApiError | undefined} */
let refusal;

/** Connects the form's buttons. Escape closes the form by itself, and means no. */
export function connectEditor() {
  byId('edit-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  byId('edit-no', HTMLElement).addEventListener('click', () => dialog.close('no'));
}

/**
 * Shows the form, and resolves with whether something was changed.
 *
 * @param {TokenFacts} token
 * @param {EditWays} how
 * @returns {Promise<boolean>} rejects when the admin's own token is refused
 */
export async function edit(token, how) {
  const isChanged = await open(dialog, () => {
    [before, ways, refusal] = [token, how, undefined];
    byId('edit-title', HTMLElement).textContent = `Edit ${token.name}`;
    byId('edit-words', HTMLElement).textContent = `User ${token.userId}, token ${token.id}`;
    fill(wishOf(token));
    tell('');
    return byId('edit-name', HTMLElement);
  });
  if (refusal !== undefined) throw refusal;
  return isChanged;
}

/** Removes from the form everything about people. */
export function emptyEditor() {
  [before, ways, refusal] = [undefined, undefined, undefined];
  for (const id of ['edit-title', 'edit-words']) byId(id, HTMLElement).replaceChildren();
  fill({ name: '', scopes: '', expires: '' });
  tell('');
}

/** Sends the altered fields. An answer is ignored if the form shows another entry by then. */
async function submit() {
  if (before === undefined || ways === undefined) return;
  const used = ways;
  const [old, typed] = [wishOf(before), read()];
  /** @type {Partial<Wish>} */
  const altered = {
    ...(typed.name !== old.name && { name: typed.name }),
    ...(typed.scopes !== old.scopes && { scopes: typed.scopes }),
    ...(typed.expires !== old.expires && { expires: typed.expires }),
  };
  if (Object.keys(altered).length === 0) return dialog.close('no');
  try {
    await used.save(altered, before.version);
    if (ways === used) dialog.close('yes');
  } catch (error) {
    if (ways !== used) return;
    if (!(error instanceof ApiError)) throw error;
    if (error.isRefusal) {
      refusal = error;
      return dialog.close('no');
    }
    tell(error.message);
    if (error.code === 'changed_meanwhile') await takeOver(typed, old);
  }
}

/**
 * Takes over another admin's changes, in fields that have not been altered here.
 *
 * @param {Wish} typed
 * @param {Wish} old
 */
async function takeOver(typed, old) {
  const used = ways;
  const latest = await used?.latest().catch(() => undefined);
  if (latest === undefined || ways !== used) return;
  const next = wishOf(latest);
  fill({
    name: typed.name === old.name ? next.name : typed.name,
    scopes: typed.scopes === old.scopes ? next.scopes : typed.scopes,
    expires: typed.expires === old.expires ? next.expires : typed.expires,
  });
  before = latest;
}

/**
 * The values that the form shows for an entry.
 *
 * @param {TokenFacts} token
 * @returns {Wish}
 */
function wishOf({ name, userId, scopes, expiresAt }) {
  return {
    name: name === userId ? '' : name,
    scopes: scopes === null ? 'all' : scopes.join(' ') || 'none',
    expires: expiresAt ?? 'never',
  };
}

/**
 * Reads the values of the form.
 *
 * @returns {Wish}
 */
function read() {
  return {
    name: valueOf('edit-name'),
    scopes: valueOf('edit-scopes') || 'all',
    expires: valueOf('edit-expires') || 'never',
  };
}

/**
 * The trimmed value of a field.
 *
 * @param {string} id
 */
function valueOf(id) {
  return byId(id, HTMLInputElement).value.trim();
}

/**
 * Fills the form in.
 *
 * @param {Wish} wish
 */
function fill({ name, scopes, expires }) {
  byId('edit-name', HTMLInputElement).value = name;
  byId('edit-scopes', HTMLInputElement).value = scopes;
  byId('edit-expires', HTMLInputElement).value = expires;
}

/**
 * Shows the server's words; an empty text removes them.
 *
 * @param {string} words
 */
function tell(words) {
  const place = byId('edit-problem', HTMLElement);
  place.textContent = words;
  place.hidden = words === '';
}
