/** The lists of tools, prompts and resources, and the panel of the chosen one. */
import { byId, element } from './element.js';
import { createPromptPanel } from './prompt-panel.js';
import { createResourcePanel } from './resource-panel.js';
import { createToolPanel } from './tool-panel.js';

/** @typedef {import('./offer.js').Entry} Entry */

/** The ids of the lists in index.html, by their contents. */
const LISTS = { tools: 'tool-list', prompts: 'prompt-list', resources: 'resource-list' };

/**
 * Shows the lists, and the panel of the first entry.
 *
 * @param {import('./mcp-client.js').McpClient} client
 * @param {import('./offer.js').Offer} offer
 */
export function showOffer(client, { tools, prompts, resources, completes }) {
  const place = byId('tool', HTMLElement);
  /** @type {HTMLButtonElement[]} */
  const buttons = [];
  /**
   * @template {Entry} Kind
   * @param {string} id
   * @param {readonly Kind[]} entries
   * @param {(entry: Kind) => readonly HTMLElement[]} createPanel
   */
  const fill = (id, entries, createPanel) => {
    const rows = entries.map((entry) => {
      const button = element('button', { type: 'button' }, element('span', {}, entry.title));
      if (entry.title !== entry.name) button.append(element('code', {}, entry.name));
      button.addEventListener('click', () => {
        for (const other of buttons) other.removeAttribute('aria-current');
        button.setAttribute('aria-current', 'true');
        place.replaceChildren(...createPanel(entry));
      });
      buttons.push(button);
      return element('li', {}, button);
    });
    showList(id, rows);
  };
  fill(LISTS.tools, tools, (tool) => createToolPanel(client, tool));
  fill(LISTS.prompts, prompts, (prompt) => createPromptPanel(client, prompt, completes));
  fill(LISTS.resources, resources, (resource) => createResourcePanel(client, resource, completes));
  place.replaceChildren(
    element('p', { class: 'aside' }, 'This token gives access to no tool, prompt or resource.'),
  );
  buttons[0]?.click();
}

/** Empties the lists, and removes the panel with its results. */
export function hideOffer() {
  for (const id of Object.values(LISTS)) showList(id, []);
  byId('tool', HTMLElement).replaceChildren();
}

/**
 * Fills a list. An empty one is hidden with its heading.
 *
 * @param {string} id
 * @param {readonly HTMLElement[]} rows
 */
function showList(id, rows) {
  const list = byId(id, HTMLElement);
  list.replaceChildren(...rows);
  if (list.parentElement !== null) list.parentElement.hidden = rows.length === 0;
}
