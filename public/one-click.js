/** Links that hand a configuration to a client. They are built here, so that the server never sees a token in them. */
import { element } from './element.js';
import { asObject } from './mcp-messages.js';
import { SERVER_ADDRESS } from './server-address.js';

/**
 * A piece of a link; src/connect/links.ts describes the ways to encode it.
 *
 * @typedef {{ text: string, as: 'is' | 'percent' | 'base64' }} LinkPiece
 */

/** The selector of links whose address this page fills in. */
export const CLICKS = '[data-link]';

/**
 * Sets the address of a link, with this server's address and the token. Hides a link that needs a token when there is none.
 *
 * @param {HTMLAnchorElement} anchor
 * @param {{ token: string | undefined }} facts
 */
export function renderClick(anchor, { token }) {
  const { placeholder = '', tokenPlaceholder = '' } = document.body.dataset;
  const needsToken = anchor.dataset['holdsToken'] === 'yes';
  anchor.hidden = needsToken && token === undefined;
  anchor.removeAttribute('href');
  if (anchor.hidden) return;
  const link = piecesOf(anchor.dataset['link'] ?? '')
    .map(({ text, as }) => {
      const here = placeholder === '' ? text : text.replaceAll(placeholder, SERVER_ADDRESS);
      const filled = token === undefined ? here : here.replaceAll(tokenPlaceholder, () => token);
      return spell(filled, as);
    })
    .join('');
  anchor.setAttribute('href', link);
  // Another site opens in a new tab; a program on this machine, or a file of this server, does not replace this page.
  const { origin, protocol } = new URL(link, location.href);
  anchor.target = protocol === 'https:' && origin !== location.origin ? '_blank' : '';
  anchor.rel = 'noreferrer';
}

/**
 * Makes a big button with the same link.
 *
 * @param {HTMLAnchorElement} anchor
 */
export function copyOfClick(anchor) {
  const { target, rel } = anchor;
  const href = anchor.getAttribute('href') ?? '';
  return element('a', { class: 'primary click', href, target, rel }, anchor.textContent?.trim() ?? '');
}

/**
 * Parses the pieces that the server has written into the page.
 *
 * @param {string} json
 * @returns {LinkPiece[]}
 */
function piecesOf(json) {
  const parsed = /** @type {unknown} */ (JSON.parse(json));
  return (Array.isArray(parsed) ? parsed : []).map((piece) => {
    const { text, as } = asObject(piece) ?? {};
    return { text: String(text), as: as === 'percent' || as === 'base64' ? as : 'is' };
  });
}

/**
 * Encodes a piece for an address.
 *
 * @param {string} text
 * @param {LinkPiece['as']} as
 */
function spell(text, as) {
  if (as === 'is') return text;
  if (as === 'percent') return encodeURIComponent(text);
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCodePoint(byte));
  return encodeURIComponent(btoa(bytes.join('')));
}
