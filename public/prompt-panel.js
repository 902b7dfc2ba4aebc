/** The panel of a prompt: its arguments, with the server's suggestions for them, and the messages that it makes. */
import { createCallPanel, createHead } from './call-panel.js';
import { element } from './element.js';
import { asObject } from './mcp-messages.js';
import { createTextFields } from './text-fields.js';
import { showBlock } from './tool-result.js';

/**
 * Makes the panel.
 *
 * @param {import('./mcp-client.js').McpClient} client
 * @param {import('./offer.js').Prompt} prompt
 * @param {boolean} completes whether the server suggests values
 */
export function createPromptPanel(client, prompt, completes) {
  const { name } = prompt;
  const { views, read } = createTextFields({
    fields: prompt.fields,
    completer: completes ? client : undefined,
    reference: { type: 'ref/prompt', name },
  });
  return createCallPanel({
    head: createHead(prompt),
    label: `Arguments of ${name}`,
    verb: 'Get',
    fields: [element('div', { class: 'fields' }, ...views)],
    read,
    send: async (input, options) => client.request('prompts/get', { name, arguments: input }, options),
    show({ messages }) {
      const all = (Array.isArray(messages) ? messages : []).map((message) => asObject(message) ?? {});
      return all.map(({ role, content }) =>
        element('div', {}, element('h4', {}, String(role)), showBlock(asObject(content) ?? {})),
      );
    },
  });
}
