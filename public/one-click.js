/** Links that hand a configuration to a client: built here, so that a token in them was never anywhere but in this page. */
import { element } from './element.js';
import { asObject } from './mcp-messages.js';
import { SERVER_ADDRESS } from './server-address.js';

/**
 * A piece of a link; src/connect/links.ts says what the ways to write it are.
 *
 * @typedef {{ text: string, as: 'is' | 'percent' | 'base64' }} LinkPiece
 */

/** A link whose address is this page's to fill in. */
export const CLICKS = '[data-link]';

/**
 * Spells the link of an element with this origin and token, or hides it where it needs a token that is not given.
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
  // Another site opens beside this page; a program of this machine, and a file of this server, leave it where it is.
  const { origin, protocol } = new URL(link, location.href);
  anchor.target = protocol === 'https:' && origin !== location.origin ? '_blank' : '';
  anchor.rel = 'noreferrer';
}

/**
 * The same click as a big button.
 *
 * @param {HTMLAnchorElement} anchor
 */
export function copyOfClick(anchor) {
  const { target, rel } = anchor;
  const href = anchor.getAttribute('href') ?? '';
  return element('a', { class: 'primary click', href, target, rel }, anchor.textContent?.trim() ?? '');
}

/**
 * The pieces that the server has written.
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
 * A piece as it stands in an address.
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
