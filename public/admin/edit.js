/** The form that changes one person's entry: only what was altered is sent, so that two admins at once lose nothing of each other's. */
import { byId } from '../page/element.js';
import { ApiError } from './api.js';
import { open } from './dialog.js';

/** @typedef {import('./api.js').TokenFacts} TokenFacts */

/**
 * What the form says, by the names that the API has for it.
 *
 * @typedef {{ name: string, scopes: string, expires: string }} Wish
 */

/**
 * How an edit reaches the server.
 *
 * @typedef {object} EditWays
 * @property {(wish: Partial<Wish>, version: string) => Promise<unknown>} save rejects with what the server says
 * @property {() => Promise<TokenFacts | undefined>} latest the entry as it is by now
 */

const dialog = byId('edit', HTMLDialogElement);

/** What the entry was when the form was filled in. @type {TokenFacts | undefined} */
let before;

/** @type {EditWays | undefined} */
let ways;

/** Why the token was refused that edits. @type {ApiError | undefined} */
let refusal;

/** Has the form's buttons work. Escape closes it, and means no. */
export function connectEditor() {
  byId('edit-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void submit();
  });
  byId('edit-no', HTMLElement).addEventListener('click', () => dialog.close('no'));
}

/**
 * Shows the form, and returns whether something has been changed.
 *
 * @param {TokenFacts} token
 * @param {EditWays} how
 * @returns {Promise<boolean>} rejects when the token is refused with which the page works
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

/** Has the form hold nothing of anybody. */
export function emptyEditor() {
  [before, ways, refusal] = [undefined, undefined, undefined];
  for (const id of ['edit-title', 'edit-words']) byId(id, HTMLElement).replaceChildren();
  fill({ name: '', scopes: '', expires: '' });
  tell('');
}

/** Sends what was altered. An answer that comes when the form shows something else is no news there. */
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
 * Takes over what another admin has changed, where nothing has been typed here.
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
 * What the form shows of an entry.
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
 * What stands in the form.
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
 * What stands in a field.
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
 * Says what the server says.
 *
 * @param {string} words
 */
function tell(words) {
  const place = byId('edit-problem', HTMLElement);
  place.textContent = words;
  place.hidden = words === '';
}
