/** The new links: as slips to print, each with a QR code, and as a table to save. */
import { createCopyButton } from '../page/copy-button.js';
import { byId, element } from '../page/element.js';
import { ask } from './ask.js';
import qrcode from './qrcode.js';
import { questionOfLinks } from './questions.js';

/** @typedef {import('./api.js').MadeToken} MadeToken */

const SVG = 'http://www.w3.org/2000/svg';

/** How long codes are drawn at a stretch, before the page gets its turn. Milliseconds. */
const SLICE_MS = 10;

/** The quiet zone around a QR code. Modules: four, as the standard requires. */
const BORDER = 4;

/**
 * The codes to draw, in the order of the slips: hundreds take seconds, in which the page should go on.
 *
 * @type {(() => void)[]}
 */
let undrawn = [];

/**
 * Connects this part of the page; `show` adds links.
 *
 * @param {() => void} onClose called when the user has closed it
 */
export function createSheet(onClose) {
  const part = byId('handed', HTMLElement);
  /** @type {readonly MadeToken[]} */
  let made = [];
  /**
   * The links that have not been saved, printed or copied yet.
   *
   * @type {Set<MadeToken>}
   */
  const untaken = new Set();
  // What is printed must be whole. The event comes before the browser lays the paper out.
  addEventListener('beforeprint', () => drawFor(Infinity));
  byId('handed-print', HTMLElement).addEventListener('click', () => {
    print();
    untaken.clear();
  });
  byId('handed-csv', HTMLElement).addEventListener('click', () => {
    saveTable(made);
    untaken.clear();
  });
  const clear = () => {
    made = [];
    untaken.clear();
    undrawn = [];
    warn('');
    part.hidden = true;
    byId('slips', HTMLElement).replaceChildren();
  };
  const close = async () => {
    if (untaken.size > 0 && (await ask(questionOfLinks(untaken.size))) === undefined) return;
    clear();
    onClose();
  };
  byId('handed-close', HTMLElement).addEventListener('click', () => void close());
  // The browser asks in its own words.
  addEventListener('beforeunload', (event) => {
    if (untaken.size > 0) event.preventDefault();
  });
  return {
    clear,
    /**
     * Adds links before those that are shown. The warning is about all of them, since they come into force together.
     *
     * @param {readonly MadeToken[]} next
     * @param {string} [warning]
     */
    show(next, warning = '') {
      warn(warning);
      if (next.length === 0) return;
      made = [...next, ...made];
      for (const token of next) untaken.add(token);
      const later = undrawn;
      undrawn = [];
      const slips = next.map((token) => createSlip(token, () => untaken.delete(token)));
      byId('slips', HTMLElement).prepend(...slips);
      undrawn.push(...later);
      // Codes that are still to be drawn have their timer already.
      if (later.length === 0) drawSlices();
      part.hidden = false;
      byId('handed-title', HTMLElement).focus();
    },
  };
}

/**
 * Shows beside the links why they do not work yet.
 *
 * @param {string} words empty if they work
 */
function warn(words) {
  const place = byId('handed-problem', HTMLElement);
  place.textContent = words;
  place.hidden = words === '';
}

/**
 * Makes one slip.
 *
 * @param {MadeToken} token
 * @param {() => void} onCopy called when the user copies the link
 */
function createSlip({ name, userId, link }, onCopy) {
  const slip = element(
    'li',
    { class: 'slip' },
    createCode(link, `QR code of the link of ${name}`),
    element('strong', {}, name),
    element('span', { class: 'aside' }, userId),
    element('code', {}, link),
    element(
      'span',
      { class: 'aside' },
      'Open this link, or scan the code. The link is yours alone: keep it secret, like a password.',
    ),
  );
  const button = createCopyButton(slip, `the link of ${name}`);
  button.addEventListener('click', onCopy);
  slip.append(button);
  return slip;
}

/** Draws all codes, in slices between which the page gets its turn. */
function drawSlices() {
  drawFor(SLICE_MS);
  if (undrawn.length > 0) setTimeout(drawSlices);
}

/**
 * Draws codes until the time is up, and at least one.
 *
 * @param {number} ms
 */
function drawFor(ms) {
  const end = performance.now() + ms;
  do undrawn.shift()?.();
  while (undrawn.length > 0 && performance.now() < end);
}

/**
 * Makes the place of a QR code, which is SVG in the page, so that there is no image to load. The code is drawn later.
 *
 * @param {string} text
 * @param {string} title
 */
function createCode(text, title) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', title);
  svg.setAttribute('shape-rendering', 'crispEdges');
  undrawn.push(() => drawCode(svg, text));
  return svg;
}

/**
 * Draws a QR code into its place.
 *
 * @param {SVGSVGElement} svg
 * @param {string} text
 */
function drawCode(svg, text) {
  const code = qrcode(0, 'M');
  code.addData(text);
  code.make();
  const count = code.getModuleCount();
  const numbers = Array.from({ length: count }, (_, index) => index);
  const path = numbers
    .flatMap((row) =>
      numbers.filter((column) => code.isDark(row, column)).map((column) => `M${column} ${row}h1v1h-1z`),
    )
    .join('');
  const size = count + 2 * BORDER;
  svg.setAttribute('viewBox', `${-BORDER} ${-BORDER} ${size} ${size}`);
  const modules = document.createElementNS(SVG, 'path');
  modules.setAttribute('d', path);
  svg.append(modules);
}

/**
 * Saves a table with user, name, token and link.
 *
 * @param {readonly MadeToken[]} made
 */
function saveTable(made) {
  const rows = [
    ['user', 'name', 'token', 'link'],
    ...made.map(({ userId, name, token, link }) => [userId, name, token, link]),
  ];
  // With a byte order mark: without it, spreadsheets take UTF-8 for another encoding.
  const text = `\uFEFF${rows.map((cells) => cells.map(quote).join(',')).join('\r\n')}\r\n`;
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const anchor = element('a', { href: url, download: 'links.csv' });
  anchor.click();
  URL.revokeObjectURL(url);
}

/**
 * Writes a cell: in quotes if necessary, and never as a formula of a spreadsheet.
 *
 * @param {string} cell
 */
function quote(cell) {
  const plain = /^[=+@\t\r-]/.test(cell) ? `'${cell}` : cell;
  return /[",;\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
