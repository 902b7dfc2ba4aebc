/** Text fields for which the server may suggest values: arguments of prompts, variables of addresses. */
import { element } from './element.js';
import { asObject } from './mcp-messages.js';
import { InputError } from './schema-field.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/** How long typing must pause before suggestions are requested. Milliseconds. */
const PAUSE_MS = 150;

let count = 0;

/**
 * Makes the text fields.
 *
 * @param {object} options
 * @param {readonly { name: string, description: string, required: boolean }[]} options.fields
 * @param {import('./mcp-client.js').McpClient | undefined} options.completer requests suggestions, if the server has completions
 * @param {Json} options.reference the prompt or the resource template of the fields, as the `ref` of `completion/complete`
 */
export function createTextFields({ fields, completer, reference }) {
  /** @returns {Record<string, string>} */
  const given = () =>
    Object.fromEntries(made.flatMap(({ name, input }) => (input.value === '' ? [] : [[name, input.value]])));
  const made = fields.map(({ name, description, required }) => {
    const { input, list, view, problem } = createField({ name, description, required });
    if (completer !== undefined)
      suggest(input, list, async (signal) => {
        const { [name]: _own, ...others } = given();
        const params = {
          ref: reference,
          argument: { name, value: input.value },
          context: { arguments: others },
        };
        const { completion } = await completer.request('completion/complete', params, { signal });
        const values = asObject(completion)?.['values'];
        return Array.isArray(values) ? values.map(String) : [];
      });
    return { name, required, input, view, problem };
  });
  return {
    views: made.map(({ view }) => view),
    read() {
      for (const { problem, input } of made) {
        problem.textContent = '';
        input.removeAttribute('aria-invalid');
      }
      const missing = made.find(({ required, input }) => required && input.value === '');
      if (missing === undefined) return given();
      missing.problem.textContent = 'Enter a text.';
      missing.input.setAttribute('aria-invalid', 'true');
      missing.input.focus();
      throw new InputError(`${missing.name}: Enter a text.`);
    },
  };
}

/**
 * Makes one field.
 *
 * @param {{ name: string, description: string, required: boolean }} options
 */
function createField({ name, description, required }) {
  count += 1;
  const id = `text-${count}`;
  const list = element('datalist', { id: `${id}-list` });
  const input = element('input', {
    id,
    type: 'text',
    autocomplete: 'off',
    spellcheck: 'false',
    list: list.id,
  });
  const hint = element('p', { class: 'aside', id: `${id}-hint` }, description);
  const problem = element('p', { class: 'problem', id: `${id}-problem` });
  input.setAttribute('aria-describedby', `${hint.id} ${problem.id}`);
  if (required) input.setAttribute('aria-required', 'true');
  const kind = element('span', { class: 'kind' }, required ? 'text' : 'text, optional');
  const label = element('label', { for: id }, element('span', { class: 'name' }, name), kind);
  return {
    input,
    list,
    problem,
    view: element('div', { class: 'field' }, label, input, list, hint, problem),
  };
}

/**
 * Shows the server's suggestions for the typed text; only the latest request counts.
 *
 * @param {HTMLInputElement} input
 * @param {HTMLDataListElement} list
 * @param {(signal: AbortSignal) => Promise<readonly string[]>} ask
 */
function suggest(input, list, ask) {
  let timer = 0;
  let asking = new AbortController();
  const update = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const values = await ask(signal);
      if (!signal.aborted) list.replaceChildren(...values.map((value) => element('option', { value })));
    } catch {
      // The list of messages shows why; the field accepts any text all the same.
    }
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void update(), PAUSE_MS);
  };
  input.addEventListener('focus', soon);
  input.addEventListener('input', soon);
}
