/** The button that copies the text beside it. */
import { announce, element } from './element.js';

/**
 * Makes a button that copies the `code` element in a holder.
 *
 * @param {HTMLElement} holder
 * @param {string} what what is copied, for screen readers
 */
export function createCopyButton(holder, what) {
  const label = element('span', {}, 'Copy');
  const button = element('button', { type: 'button', class: 'quiet copy' }, label);
  button.append(element('span', { class: 'unseen' }, ` ${what}`));
  let timer = 0;
  const handle = async () => {
    const code = holder.querySelector('code');
    if (code === null) return;
    const copied = await copy(code);
    label.textContent = copied ? 'Copied' : 'Press Ctrl+C';
    button.classList.toggle('done', copied);
    announce(copied ? `Copied: ${what}` : 'Selected. Press Ctrl+C to copy.');
    clearTimeout(timer);
    timer = setTimeout(() => {
      label.textContent = 'Copy';
      button.classList.remove('done');
      announce('');
    }, 2_000);
  };
  button.addEventListener('click', () => void handle());
  return button;
}

/**
 * Copies an element's text. If the page may not use the clipboard (plain HTTP, a frame), the text stays selected for Ctrl+C.
 *
 * @param {HTMLElement} source
 */
async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    // Deprecated, but the only way on a page without HTTPS.
    return document.execCommand('copy');
  }
}
