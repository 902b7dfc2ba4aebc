/** A form made from a tool's input schema: a field for each property, and raw JSON for what no field fits. */
import { element } from './element.js';
import { createField } from './schema-field.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/** An input that cannot be sent; its field has the focus. */
export class InputError extends Error {}

/**
 * Makes the fields of a schema. `read` returns the arguments; what is left empty and is optional is left out.
 *
 * @param {Json} schema
 */
export function createSchemaForm(schema) {
  const fields = fieldsOf(schema);
  const raw = createField({ name: 'arguments', schema: { type: 'object' }, required: true, value: '{}' });
  const fieldList = element('div', { class: 'fields' }, ...fields.map(({ view }) => view));
  if (fields.length === 0) fieldList.append(element('p', { class: 'aside' }, 'This tool takes no input.'));
  raw.view.hidden = true;
  const toggle = element(
    'button',
    { type: 'button', class: 'link', 'aria-pressed': 'false' },
    'Edit as JSON',
  );

  const readFields = () =>
    Object.fromEntries(
      fields.flatMap((field) => {
        const value = readOrPoint(field);
        return value === undefined ? [] : [[field.name, value]];
      }),
    );

  toggle.addEventListener('click', () => {
    const toRaw = raw.view.hidden;
    // What has been typed comes along, as far as it is whole.
    if (toRaw) raw.write(JSON.stringify(readWhole(fields), null, 2));
    raw.view.hidden = !toRaw;
    fieldList.hidden = toRaw;
    toggle.setAttribute('aria-pressed', String(toRaw));
    toggle.textContent = toRaw ? 'Edit as a form' : 'Edit as JSON';
  });

  return {
    view: element('div', { class: 'schema-form' }, fieldList, raw.view),
    toggle,
    /** @returns {unknown} */
    read: () => (raw.view.hidden ? readFields() : readOrPoint(raw)),
  };
}

/**
 * The fields of a schema's properties, the required ones first.
 *
 * @param {Json} schema
 */
function fieldsOf({ properties, required }) {
  if (typeof properties !== 'object' || properties === null) return [];
  const needed = new Set(Array.isArray(required) ? required : []);
  return Object.entries(properties)
    .toSorted(([one], [other]) => Number(needed.has(other)) - Number(needed.has(one)))
    .map(([name, property]) => createField({ name, schema: property, required: needed.has(name) }));
}

/**
 * A field's value; where it has none that can be sent, the field says so and gets the focus.
 *
 * @param {import('./schema-field.js').Field} field
 */
function readOrPoint(field) {
  try {
    const value = field.read();
    field.complain('');
    return value;
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    field.complain(words);
    throw new InputError(`${field.name}: ${words}`, { cause: error });
  }
}

/**
 * The values of the fields that have one.
 *
 * @param {readonly import('./schema-field.js').Field[]} fields
 */
function readWhole(fields) {
  return Object.fromEntries(
    fields.flatMap(({ name, read }) => {
      try {
        const value = read();
        return value === undefined ? [] : [[name, value]];
      } catch {
        return [];
      }
    }),
  );
}
