/** The control for a JSON Schema of one value: how its value is read, and how another one is written into it. */
import { element } from './element.js';
import { choicesOf, isSame } from './schema-facts.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/**
 * @typedef {object} Control
 * @property {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} control
 * @property {string} kind the kind of value, in words
 * @property {() => unknown} read undefined if nothing is typed; throws an Error in words for people
 * @property {(value: unknown) => boolean} write undefined empties it; returns false if it cannot show the value
 */

/**
 * Makes the control that fits a schema.
 *
 * @param {Json} face
 * @param {boolean} required
 * @returns {Control}
 */
export function controlFor(face, required) {
  const choices = choicesOf(face);
  if (choices !== undefined) return choiceControl(choices, required, 'choice');
  if (face['type'] === 'boolean')
    return required ? switchControl() : choiceControl([true, false], false, 'true or false');
  if (face['type'] === 'number' || face['type'] === 'integer') return numberControl(face, required);
  if (face['type'] === 'string') return textControl(face, required);
  return jsonControl(face, required);
}

/**
 * Makes a checkbox.
 *
 * @returns {Control}
 */
function switchControl() {
  const control = element('input', { type: 'checkbox' });
  const write = (/** @type {unknown} */ value) => {
    control.checked = value === true;
    return value === undefined || typeof value === 'boolean';
  };
  return { control, kind: 'true or false', read: () => control.checked, write };
}

/**
 * Makes a list to choose from; an optional value can be left unset.
 *
 * @param {readonly unknown[]} choices
 * @param {boolean} required
 * @param {string} kind
 * @returns {Control}
 */
function choiceControl(choices, required, kind) {
  const options = choices.map((choice, index) => element('option', { value: index }, String(choice)));
  const unset = required ? [] : [element('option', { value: '' }, '(not set)')];
  const control = element('select', {}, ...unset, ...options);
  const write = (/** @type {unknown} */ value) => {
    const index = choices.findIndex((choice) => isSame(choice, value));
    control.selectedIndex = index === -1 ? 0 : index + unset.length;
    return index !== -1 || value === undefined;
  };
  const read = () => (control.value === '' ? undefined : choices[Number(control.value)]);
  return { control, kind, read, write };
}

/**
 * Makes a field to type a number into.
 *
 * @param {Json} face
 * @param {boolean} required
 * @returns {Control}
 */
function numberControl({ type, minimum, maximum }, required) {
  const isInteger = type === 'integer';
  // Not type=number: such a field hides text that is not a number, and changes its value when the mouse wheel turns.
  const control = element('input', {
    type: 'text',
    inputmode: isInteger ? 'numeric' : 'decimal',
    autocomplete: 'off',
  });
  const bounds = [boundOf('from', minimum), boundOf('to', maximum)];
  const kind = [isInteger ? 'whole number' : 'number', ...bounds].filter(Boolean).join(' ');
  const read = () => {
    const text = control.value.trim();
    if (text === '' && !required) return undefined;
    const value = Number(text);
    if (text === '' || !Number.isFinite(value)) throw new Error('Enter a number.');
    if (isInteger && !Number.isInteger(value)) throw new Error('Enter a whole number.');
    return value;
  };
  return { control, kind, read, write: writeText(control, ['number', 'string']) };
}

/**
 * Makes a field for text: of one line if the text is short or has a format, else of many.
 *
 * @param {Json} face
 * @param {boolean} required
 * @returns {Control}
 */
function textControl({ format, maxLength, minLength }, required) {
  const isShort = typeof format === 'string' || (typeof maxLength === 'number' && maxLength <= 200);
  const control = isShort
    ? element('input', { type: 'text', autocomplete: 'off' })
    : element('textarea', { rows: 3, spellcheck: 'false' });
  const read = () => {
    if (control.value === '' && !required) return undefined;
    if (control.value === '' && typeof minLength === 'number' && minLength > 0)
      throw new Error('Enter a text.');
    return control.value;
  };
  const kind = typeof format === 'string' ? `text, ${format}` : 'text';
  return { control, kind, read, write: writeText(control, ['string']) };
}

/**
 * Makes a field for raw JSON, for values that no other control fits: maps, tuples, anything.
 *
 * @param {Json} face
 * @param {boolean} required
 * @returns {Control}
 */
function jsonControl({ type }, required) {
  const control = element('textarea', { rows: 4, spellcheck: 'false', class: 'json' });
  const read = () => {
    if (control.value.trim() === '' && !required) return undefined;
    try {
      return /** @type {unknown} */ (JSON.parse(control.value));
    } catch (cause) {
      throw new Error('This is not JSON.', { cause });
    }
  };
  const write = (/** @type {unknown} */ value) => {
    control.value = value === undefined ? '' : JSON.stringify(value, null, 2);
    return true;
  };
  return { control, kind: typeof type === 'string' ? `${type} as JSON` : 'JSON', read, write };
}

/**
 * Makes a function that writes values of these types into a text field. A number field takes a string too: it is checked when it is sent.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement} control
 * @param {readonly string[]} types
 * @returns {Control['write']}
 */
function writeText(control, types) {
  return (value) => {
    const isKnown = typeof value === 'string' || typeof value === 'number';
    const fits = isKnown && types.includes(typeof value);
    control.value = isKnown && fits ? String(value) : '';
    return fits || value === undefined;
  };
}

/**
 * A bound in words; empty if it is not worth showing: zod gives every integer the bounds of safe integers.
 *
 * @param {string} word
 * @param {unknown} bound
 */
function boundOf(word, bound) {
  const isWorthIt = typeof bound === 'number' && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  return isWorthIt ? `${word} ${bound}` : '';
}
