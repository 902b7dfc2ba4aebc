/** Opens the page's dialogs. */

/**
 * Ends the opening of a dialog of which the browser has not told yet that it is over.
 *
 * @type {WeakMap<HTMLDialogElement, () => void>}
 */
const endings = new WeakMap();

/** Closes whatever is open, which means no. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close('no');
}

/**
 * Opens a dialog, and returns whether it is closed with a yes.
 *
 * A browser tells of a closing a while after it has given the focus back. Whoever is quick has opened the dialog again by then: what
 * comes is the end of the first time, and is not taken for that of the second.
 *
 * @param {HTMLDialogElement} dialog
 * @param {() => HTMLElement} prepare fills the dialog in, and returns what gets the focus
 * @returns {Promise<boolean>}
 */
export async function open(dialog, prepare) {
  endings.get(dialog)?.();
  const first = prepare();
  dialog.returnValue = '';
  dialog.showModal();
  if (first instanceof HTMLInputElement) first.select();
  else first.focus();
  return new Promise((resolve) => {
    const end = () => {
      dialog.removeEventListener('close', onClose);
      endings.delete(dialog);
      resolve(dialog.returnValue === 'yes');
    };
    const onClose = () => {
      if (!dialog.open) end();
    };
    dialog.addEventListener('close', onClose);
    endings.set(dialog, end);
  });
}
