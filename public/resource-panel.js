/** The panel of a resource or of a resource template: its URI, with suggestions for the variables in it, and its contents. */
import { createCallPanel, createHead } from './call-panel.js';
import { element } from './element.js';
import { asObject } from './mcp-messages.js';
import { createTextFields } from './text-fields.js';
import { showBlock } from './tool-result.js';

/**
 * Makes the panel.
 *
 * @param {import('./mcp-client.js').McpClient} client
 * @param {import('./offer.js').Resource} resource
 * @param {boolean} completes whether the server suggests values
 */
export function createResourcePanel(client, resource, completes) {
  const { name: address } = resource;
  const { names, fill } = openPlacesOf(address);
  const { views, read } = createTextFields({
    fields: names.map((name) => ({ name, description: '', required: true })),
    completer: completes && resource.isTemplate ? client : undefined,
    reference: { type: 'ref/resource', uri: address },
  });
  return createCallPanel({
    head: createHead(resource),
    label: `Address of ${resource.title}`,
    verb: 'Read',
    fields: [element('div', { class: 'fields' }, ...views)],
    read: () => fill(read()),
    send: async (uri, options) => client.request('resources/read', { uri }, options),
    show: ({ contents }) =>
      (Array.isArray(contents) ? contents : []).map((part) => {
        const { uri, text, blob, mimeType = '' } = asObject(part) ?? {};
        const isText = typeof text === 'string';
        const type = isText ? 'text' : String(mimeType).replace(/\/.*/, '');
        const block = isText ? { type, text } : { type, data: blob, mimeType };
        return element('div', {}, element('h4', {}, `${String(uri)} ${String(mimeType)}`), showBlock(block));
      }),
  });
}

/**
 * Finds the variables in an address. If a template has other expressions than `{name}`, the user types the whole address.
 *
 * @param {string} address
 * @returns {{ names: readonly string[], fill: (values: Record<string, string>) => string }}
 */
function openPlacesOf(address) {
  const places = address.match(/\{[^}]*\}/g) ?? [];
  if (places.some((place) => !/^\{\w+\}$/.test(place)))
    return { names: ['address'], fill: ({ address: uri = '' }) => uri };
  return {
    names: [...new Set(places.map((place) => place.slice(1, -1)))],
    fill: (values) =>
      address.replaceAll(/\{(\w+)\}/g, (_place, /** @type {string} */ name) =>
        encodeURIComponent(values[name] ?? ''),
      ),
  };
}
