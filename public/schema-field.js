/** One field of a form made from a JSON Schema: text, number, switch, choice, or raw JSON. */
import { element } from './element.js';
import { asObject } from './mcp-messages.js';
import { controlFor } from './schema-control.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {HTMLElement} view label, control, description and problem
 * @property {() => unknown} read the value, undefined to leave it out; throws an Error in words for people
 * @property {(text: string) => void} write
 * @property {(problem: string) => void} complain shows what is wrong and moves the focus there; an empty text takes it back
 */

let made = 0;

/**
 * Makes the field of a property.
 *
 * @param {{ name: string, schema: unknown, required: boolean, value?: string }} property `value` is what it begins with
 * @returns {Field}
 */
export function createField({ name, schema, required, value }) {
  const face = faceOf(schema);
  const { control, read, kind } = controlFor(face, required);
  made += 1;
  control.id = `field-${made}`;
  const start = value ?? textOf(face['default']);
  if (start !== undefined) write(control, start);

  const hint = element('p', { class: 'aside', id: `${control.id}-hint` });
  hint.textContent = typeof face['description'] === 'string' ? face['description'] : '';
  const problem = element('p', { class: 'problem', id: `${control.id}-problem` });
  control.setAttribute('aria-describedby', `${hint.id} ${problem.id}`);
  if (required) control.setAttribute('aria-required', 'true');

  const label = element('label', { for: control.id }, element('span', { class: 'name' }, name));
  label.append(element('span', { class: 'kind' }, required ? kind : `${kind}, optional`));
  const isSwitch = control instanceof HTMLInputElement && control.type === 'checkbox';
  return {
    name,
    view: element('div', { class: isSwitch ? 'field switch' : 'field' }, label, control, hint, problem),
    read,
    write: (text) => write(control, text),
    complain(words) {
      problem.textContent = words;
      control.toggleAttribute('aria-invalid', false);
      if (words === '') return;
      control.setAttribute('aria-invalid', 'true');
      control.focus();
    },
  };
}

/**
 * A schema as an object, without the null of an optional value: strict clients write it as a union with null.
 *
 * @param {unknown} schema
 * @returns {Json}
 */
function faceOf(schema) {
  const face = asObject(schema) ?? {};
  const branches = Array.isArray(face['anyOf']) ? face['anyOf'].map((branch) => asObject(branch) ?? {}) : [];
  const [only, ...others] = branches.filter((branch) => branch['type'] !== 'null');
  return branches.length > 1 && only !== undefined && others.length === 0 ? { ...face, ...only } : face;
}

/**
 * A default as the text of its control.
 *
 * @param {unknown} value
 */
function textOf(value) {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Puts a text into a control; a choice is found by its words.
 *
 * @param {import('./schema-control.js').Control['control']} control
 * @param {string} text
 */
function write(control, text) {
  if (control instanceof HTMLSelectElement) {
    const option = [...control.options].find(({ label }) => label === text);
    if (option) option.selected = true;
  } else if (control.type === 'checkbox' && control instanceof HTMLInputElement)
    control.checked = text === 'true';
  else control.value = text;
}
