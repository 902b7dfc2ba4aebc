/** Opens the page's dialogs. */

/**
 * By dialog, the function that ends its latest opening, until the browser reports that it has closed.
 *
 * @type {WeakMap<HTMLDialogElement, () => void>}
 */
const endings = new WeakMap();

/** Closes every open dialog, which means no. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close('no');
}

/**
 * Opens a dialog, and resolves with whether it was closed with yes.
 *
 * A browser fires `close` some time after it has returned the focus. A quick user may have opened the dialog again by then: that event is
 * about the first opening, and must not end the second.
 *
 * @param {HTMLDialogElement} dialog
 * @param {() => HTMLElement} prepare fills the dialog in, and returns the element that gets the focus
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
