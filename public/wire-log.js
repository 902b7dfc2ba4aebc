/** The list of requests and answers as they were sent and received, newest first. */
import { element, shorten } from './element.js';
import { indentJson } from './tool-result.js';

/** How many exchanges are kept: the page may stay open for days. */
const MAX_EXCHANGES = 30;

/**
 * Adds an exchange at the top, and folds the others.
 *
 * @param {HTMLElement} list
 * @param {import('./mcp-client.js').Exchange} exchange
 */
export function logExchange(list, exchange) {
  const { title, path, headers, body, durationMs, status, ok, answer } = exchange;
  const state = element('span', { class: ok ? 'state good' : 'state bad' }, status || 'no answer');
  const summary = element(
    'summary',
    {},
    element('code', {}, title),
    state,
    element('span', { class: 'time' }, formatMs(durationMs)),
  );
  const request = [
    `POST ${path}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    JSON.stringify(body, null, 2),
  ];
  const answers = answer.map(indentJson).join('\n\n') || 'None.';
  const details = element(
    'details',
    { open: true },
    summary,
    element('div', { class: 'sides' }, showSide('Request', request.join('\n')), showSide('Answer', answers)),
  );
  for (const older of list.querySelectorAll('details')) older.open = false;
  list.prepend(element('li', {}, details));
  while (list.children.length > MAX_EXCHANGES) list.lastElementChild?.remove();
}

/**
 * Shows one side of an exchange.
 *
 * @param {string} title
 * @param {string} text
 */
function showSide(title, text) {
  const content = element('pre', { tabindex: 0, role: 'group', 'aria-label': title }, shorten(text));
  return element('div', {}, element('h4', {}, title), content);
}

/**
 * A duration in words.
 *
 * @param {number} durationMs
 */
export function formatMs(durationMs) {
  return durationMs < 10_000
    ? `${Math.max(1, Math.round(durationMs))} ms`
    : `${(durationMs / 1000).toFixed(1)} s`;
}
