/** A field of a form made from a JSON Schema, with its label and its problem; and what fields and groups have in common. */
import { element } from './element.js';
import { controlFor } from './schema-control.js';
import { skeletonOf } from './schema-facts.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/** Thrown for input that cannot be sent, when its field has got the focus. */
export class InputError extends Error {}

/**
 * @typedef {object} Part
 * @property {HTMLElement} view
 * @property {() => boolean} isUntouched whether nothing was filled in: an optional group is then left out
 * @property {() => unknown} read the value, undefined to leave it out; throws {@link InputError}
 * @property {() => unknown} draft the input, even if incomplete, with a skeleton for required values: to be edited as JSON
 * @property {(value: unknown) => string | undefined} write writes a value; returns the name of a part of it that the form cannot show
 */

/**
 * @typedef {{ name: string, schema: unknown, required: boolean, root: Json, depth?: number }} PartOptions
 * @typedef {(options: PartOptions) => Part} MakePart
 */

let made = 0;

/**
 * Makes the field of one value.
 *
 * @param {{ name: string, face: Json, required: boolean, nullable: boolean, root: Json }} options
 * @returns {Part}
 */
export function createField({ name, face, required, nullable, root }) {
  const { control, read, write, kind } = controlFor(face, required);
  made += 1;
  control.id = `field-${made}`;
  const isJson = control.classList.contains('json');
  write('default' in face ? face['default'] : isJson && required ? skeletonOf(face, root) : undefined);
  const isTick = control instanceof HTMLInputElement && control.type === 'checkbox';
  const stateOf = () => (isTick ? String(control.checked) : control.value);
  const start = stateOf();

  const hint = element('p', { class: 'aside', id: `${control.id}-hint` }, textOf(face['description']));
  const problem = element('p', { class: 'problem', id: `${control.id}-problem` });
  control.setAttribute('aria-describedby', `${hint.id} ${problem.id}`);
  if (required) control.setAttribute('aria-required', 'true');
  const label = element('label', { for: control.id }, ...headOf(name, { kind, required, nullable }));
  const nothing = createNullTick(name, nullable, (isNull) => (control.disabled = isNull));
  const view = element('div', { class: isTick ? 'field switch' : 'field' }, label, control);
  // A required constant is not shown: the title of the alternative that it belongs to says it.
  view.hidden = required && 'const' in face;
  view.append(...nothing.view, hint, ...(isJson ? [showSchema('Schema', face)] : []), problem);

  const readOrPoint = () => {
    problem.textContent = '';
    control.removeAttribute('aria-invalid');
    if (nothing.isOn()) return null;
    try {
      return read();
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      problem.textContent = words;
      control.setAttribute('aria-invalid', 'true');
      control.focus();
      throw new InputError(`${name}: ${words}`, { cause: error });
    }
  };
  return {
    view,
    isUntouched: () => !nothing.isOn() && stateOf() === start,
    read: readOrPoint,
    draft() {
      if (nothing.isOn()) return null;
      if (stateOf() === '') return required ? skeletonOf(face, root) : undefined;
      try {
        return read();
      } catch {
        return control.value;
      }
    },
    write(value) {
      nothing.set(value === null && nullable);
      return write(nothing.isOn() ? undefined : value) ? undefined : name;
    },
  };
}

/**
 * The label of a part: its name, and the kind of its value.
 *
 * @param {string} name
 * @param {{ kind: string, required: boolean, nullable: boolean }} facts
 */
export function headOf(name, { kind, required, nullable }) {
  const words = `${kind}${nullable ? ' or null' : ''}${required ? '' : ', optional'}`;
  return [element('span', { class: 'name' }, name), element('span', { class: 'kind' }, words)];
}

/**
 * Makes a checkbox that sets a value to null; it is shown only if null is allowed.
 *
 * @param {string} name
 * @param {boolean} nullable
 * @param {(isNull: boolean) => void} onChange
 */
export function createNullTick(name, nullable, onChange) {
  const box = element('input', { type: 'checkbox', 'aria-label': `${name} is null` });
  box.addEventListener('change', () => onChange(box.checked));
  return {
    view: nullable ? [element('label', { class: 'check null' }, box, 'null')] : [],
    isOn: () => box.checked,
    /** @param {boolean} isNull */
    set(isNull) {
      box.checked = isNull;
      onChange(isNull);
    },
  };
}

/**
 * Shows a schema as JSON.
 *
 * @param {string} title
 * @param {Json} schema
 */
export function showSchema(title, schema) {
  const text = element('pre', { tabindex: 0, role: 'group', 'aria-label': title });
  text.textContent = JSON.stringify(schema, null, 2);
  return element('details', { class: 'schema' }, element('summary', {}, title), text);
}

/**
 * A value that is a text; empty for any other.
 *
 * @param {unknown} value
 */
export function textOf(value) {
  return typeof value === 'string' ? value : '';
}
