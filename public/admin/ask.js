/** A question in the page's own style, before an action that cannot be undone or that needs an input. */
import { byId } from '../page/element.js';
import { open } from './dialog.js';

/**
 * Asks, and returns what was typed: an empty text if there is no field, undefined if the answer is no.
 *
 * @param {{ title: string, words: string, yes: string, field?: { label: string, value: string } }} question
 * @returns {Promise<string | undefined>}
 */
export async function ask({ title, words, yes, field }) {
  const dialog = byId('ask', HTMLDialogElement);
  const input = byId('ask-input', HTMLInputElement);
  const isYes = await open(dialog, () => {
    byId('ask-title', HTMLElement).textContent = title;
    byId('ask-words', HTMLElement).textContent = words;
    byId('ask-yes', HTMLElement).textContent = yes;
    byId('ask-label', HTMLElement).textContent = field?.label ?? '';
    byId('ask-field', HTMLElement).hidden = field === undefined;
    input.value = field?.value ?? '';
    // Without a field, "no" gets the focus: a key that is held down too long must not answer yes.
    return field === undefined ? byId('ask-no', HTMLElement) : input;
  });
  return isYes ? input.value.trim() : undefined;
}

/** Connects the buttons of the dialog. Escape closes it by itself, and means no. */
export function connectDialog() {
  const dialog = byId('ask', HTMLDialogElement);
  byId('ask-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    dialog.close('yes');
  });
  byId('ask-no', HTMLElement).addEventListener('click', () => dialog.close('no'));
}

/** Removes from the question everything about people. */
export function emptyQuestion() {
  for (const id of ['ask-title', 'ask-words']) byId(id, HTMLElement).replaceChildren();
}
