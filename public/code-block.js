/** Texts to copy, and texts with the server's address: the placeholder in them becomes the address that this page was loaded from. */
import { createCopyButton } from './copy-button.js';
import { byId } from './element.js';
import { CLICKS, renderClick } from './one-click.js';
import { SERVER_ADDRESS } from './server-address.js';

/** Replaces the placeholder, which the server writes when its own address is not configured. */
export function fillInOrigin() {
  const { placeholder = '' } = document.body.dataset;
  if (placeholder === '') return;
  const isPlainHttp =
    location.protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
  for (const code of document.querySelectorAll('[data-origin]')) {
    // Some clients need another configuration for plain HTTP to another machine.
    const overHttp = code instanceof HTMLElement ? code.dataset['overHttp'] : undefined;
    const text = isPlainHttp && overHttp ? overHttp : (code.textContent ?? '');
    code.textContent = text.replaceAll(placeholder, SERVER_ADDRESS);
  }
}

/** Offers to put a token into the configurations. `use` sets the token; undefined takes it away. */
export function createTokenOffer() {
  const offer = byId('own-token', HTMLElement);
  const box = byId('own-token-box', HTMLInputElement);
  const { tokenPlaceholder = '' } = document.body.dataset;
  const codes = [...document.querySelectorAll('#connect code[data-origin]')];
  const plain = codes.map(({ textContent }) => textContent ?? '');
  const clicks = [...document.querySelectorAll(`#connect ${CLICKS}`)];
  /** @type {string | undefined} */
  let token;
  const render = () => {
    const shown = box.checked && token !== undefined ? token : tokenPlaceholder;
    // The hint says to fill in the token: it is hidden when that is done.
    document.querySelector('#fill-in')?.toggleAttribute('hidden', shown !== tokenPlaceholder);
    for (const [index, code] of codes.entries())
      code.textContent = (plain[index] ?? '').replaceAll(tokenPlaceholder, () => shown);
    for (const click of clicks)
      if (click instanceof HTMLAnchorElement) renderClick(click, { token: box.checked ? token : undefined });
  };
  box.addEventListener('change', render);
  render();
  return {
    /**
     * @param {string | undefined} next
     * @param {{ atOnce?: boolean }} [options] whether the token is put in without a click
     */
    use(next, { atOnce = false } = {}) {
      token = next;
      // A token with characters that have a meaning in a shell or in JSON is not put in: people have to quote it themselves.
      offer.hidden = token === undefined || !/^[\w.~+/=-]+$/.test(token);
      box.checked = atOnce && !offer.hidden;
      render();
    },
  };
}

/** Keeps the chosen client open on wide screens, where it fills the pane beside the list: closing it would leave the pane empty. */
export function keepPaneOpen() {
  const isWide = matchMedia('(min-width: 56rem)');
  for (const summary of document.querySelectorAll('.picker summary')) {
    summary.addEventListener('click', (event) => {
      if (isWide.matches && summary.closest('details')?.open) event.preventDefault();
    });
  }
}

/** Adds a copy button to everything that can be copied. */
export function addCopyButtons() {
  for (const holder of document.querySelectorAll('[data-copyable]')) {
    if (!(holder instanceof HTMLElement)) continue;
    const place = holder.querySelector('[data-copy-here]') ?? holder;
    place.append(createCopyButton(holder, holder.dataset['copyable'] ?? ''));
  }
}
