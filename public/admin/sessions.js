/** The open sessions, each with a button that ends it. */
import { byId, element } from '../page/element.js';

/** @typedef {import('./api.js').SessionFacts} SessionFacts */

/**
 * Shows the sessions.
 *
 * @param {readonly SessionFacts[]} sessions
 * @param {(session: SessionFacts) => void} onEnd
 */
export function showSessions(sessions, onEnd) {
  const rows = sessions.map((session) => {
    const { userId, client, transport, hasStream, callsInFlight } = session;
    const button = element('button', { type: 'button', class: 'quiet' }, 'End');
    button.append(element('span', { class: 'unseen' }, ` the session of ${userId}`));
    button.addEventListener('click', () => onEnd(session));
    const calls = callsInFlight === 0 ? '' : `, ${callsInFlight} running`;
    return element(
      'tr',
      {},
      element('td', {}, userId),
      element('td', { 'data-head': 'Client' }, client ?? 'not known'),
      element('td', { 'data-head': 'Transport' }, transport),
      element('td', { 'data-head': 'State' }, `${hasStream ? 'stream open' : 'no stream'}${calls}`),
      element('td', {}, button),
    );
  });
  const none = element('tr', {}, element('td', { colspan: 5 }, 'Nobody has a session with this process.'));
  byId('session-rows', HTMLElement).replaceChildren(...(rows.length > 0 ? rows : [none]));
}
