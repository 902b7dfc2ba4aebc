/** Opens the page's dialogs, one after the other. */

/**
 * The closings that are under way: a browser tells of one a while after it has given the focus back.
 *
 * @type {WeakMap<HTMLDialogElement, Promise<void>>}
 */
const closings = new WeakMap();

/**
 * Opens a dialog, and returns whether it is closed with a yes.
 *
 * Whoever is quick opens it again before the browser has told that it was closed: what comes then is the end of the first time, and
 * must not be taken for that of the second.
 *
 * @param {HTMLDialogElement} dialog
 * @param {() => HTMLElement} prepare fills the dialog in, and returns what gets the focus
 * @returns {Promise<boolean>}
 */
export async function open(dialog, prepare) {
  await closings.get(dialog);
  const first = prepare();
  dialog.returnValue = '';
  dialog.showModal();
  if (first instanceof HTMLInputElement) first.select();
  else first.focus();
  /** @type {Promise<void>} */
  const closing = new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(), { once: true });
  });
  closings.set(dialog, closing);
  await closing;
  return dialog.returnValue === 'yes';
}
