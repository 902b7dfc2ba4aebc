/** The panel of a tool: a form made from its schema, its hints and schemas, and the result of a call. */
import { createCallPanel, createHead } from './call-panel.js';
import { element } from './element.js';
import { asObject, paramHeaders } from './mcp-messages.js';
import { showSchema } from './schema-field.js';
import { createSchemaForm } from './schema-form.js';
import { showResult } from './tool-result.js';

/** @typedef {import('./offer.js').Tool} Tool */

/**
 * Makes the panel.
 *
 * @param {import('./mcp-client.js').McpClient} client
 * @param {Tool} tool
 */
export function createToolPanel(client, tool) {
  const { name, inputSchema, outputSchema } = tool;
  const { view, toggle, read } = createSchemaForm(inputSchema);
  const schemas = element('div', {}, showSchema('Input schema', inputSchema));
  if (outputSchema !== undefined) schemas.append(showSchema('Output schema', outputSchema));
  return [
    ...createCallPanel({
      head: createHead(tool, factsOf(tool)),
      label: `Input of ${name}`,
      verb: 'Call',
      fields: [view],
      buttons: [toggle],
      read: () => ({ ...asObject(read()) }),
      send: async (input, options) =>
        client.request(
          'tools/call',
          { name, arguments: input },
          { ...options, headers: paramHeaders(inputSchema, input) },
        ),
      show: showResult,
    }),
    schemas,
  ];
}

/**
 * Shows a tool's annotations in a word each, and the scope that it needs.
 *
 * @param {Tool} tool
 */
function factsOf({ annotations, scope }) {
  const facts = [];
  if (annotations['readOnlyHint'] === true) facts.push(element('span', { class: 'chip' }, 'read-only'));
  if (annotations['destructiveHint'] === true)
    facts.push(element('span', { class: 'chip bad' }, 'destructive'));
  if (scope !== undefined)
    facts.push(element('span', { class: 'chip' }, 'needs the scope ', element('code', {}, scope)));
  return facts;
}
