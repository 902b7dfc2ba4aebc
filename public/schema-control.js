/** The control that fits a JSON Schema, and how its value is read. */
import { element } from './element.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/** @typedef {{ control: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement, read: () => unknown, kind: string }} Control */

/**
 * The control that fits a schema.
 *
 * @param {Json} face
 * @param {boolean} required
 * @returns {Control}
 */
export function controlFor(face, required) {
  const choices = choicesOf(face);
  if (choices !== undefined) return choiceControl(choices, required, 'choice');
  if (face['type'] === 'boolean') {
    if (!required) return choiceControl([true, false], false, 'true or false');
    const control = element('input', { type: 'checkbox' });
    return { control, kind: 'true or false', read: () => control.checked };
  }
  if (face['type'] === 'number' || face['type'] === 'integer') return numberControl(face, required);
  if (face['type'] === 'string') return textControl(face, required);
  return jsonControl(face, required);
}

/**
 * A list to choose from; what is optional can be left unset.
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
  return { control, kind, read: () => (control.value === '' ? undefined : choices[Number(control.value)]) };
}

/**
 * @param {Json} face
 * @param {boolean} required
 * @returns {Control}
 */
function numberControl({ type, minimum, maximum }, required) {
  const isInteger = type === 'integer';
  // Not type=number: that hides what was typed when it is no number, and eats wheel turns.
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
  return { control, kind, read };
}

/**
 * Text of one line where it is short or has a format, else of many.
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
  return { control, kind: typeof format === 'string' ? `text, ${format}` : 'text', read };
}

/**
 * Raw JSON, for everything else: lists, objects, unions.
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
  return { control, kind: typeof type === 'string' ? `${type} as JSON` : 'JSON', read };
}

/**
 * The values that a schema allows, where it lists them.
 *
 * @param {Json} face
 * @returns {readonly unknown[] | undefined}
 */
function choicesOf(face) {
  if ('const' in face) return [face['const']];
  return Array.isArray(face['enum']) ? face['enum'] : undefined;
}

/**
 * A bound in words, where it is worth showing: zod gives every integer those of safe integers.
 *
 * @param {string} word
 * @param {unknown} bound
 */
function boundOf(word, bound) {
  const isWorthIt = typeof bound === 'number' && Math.abs(bound) < Number.MAX_SAFE_INTEGER;
  return isWorthIt ? `${word} ${bound}` : '';
}
