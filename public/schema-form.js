/** A form made from a tool's input schema. The input can be edited alternately as JSON and as a form. */
import { element } from './element.js';
import { asObject, parseObject } from './mcp-messages.js';
import { createPart } from './schema-part.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/**
 * Makes the form of a schema. `read` returns the arguments, without optional ones that are empty.
 *
 * @param {Json} schema
 */
export function createSchemaForm(schema) {
  const root = { ...schema, properties: asObject(schema['properties']) ?? {}, type: 'object' };
  const form = createPart({ name: 'arguments', schema: root, required: true, root });
  const raw = createPart({ name: 'arguments', schema: { type: 'object' }, required: true, root });
  const isEmpty = Object.keys(root.properties).length === 0;
  const nothing = element('p', { class: 'aside' }, 'This takes no input.');
  const why = element('p', { class: 'problem', role: 'status' });
  const toggle = element('button', { type: 'button', class: 'link' });
  // The whole schema is shown below already, beside the schema of the output.
  raw.view.querySelector('.schema')?.remove();
  const box = raw.view.querySelector('textarea');
  if (box === null) throw new Error('A field for JSON is a text of many lines.');
  /** The text as it was written into the field: if it has not been edited, the form stays as it was. */
  let given = '';
  let isRaw = false;

  /** @param {boolean} toRaw */
  const show = (toRaw) => {
    isRaw = toRaw;
    raw.view.hidden = !toRaw;
    form.view.hidden = toRaw || isEmpty;
    nothing.hidden = toRaw || !isEmpty;
    why.textContent = '';
    toggle.setAttribute('aria-pressed', String(toRaw));
    toggle.textContent = toRaw ? 'Edit as a form' : 'Edit as JSON';
  };
  const toForm = () => {
    const object = parseObject(box.value);
    if (object === undefined) return 'This is not a JSON object yet, so the form cannot show it.';
    const left = form.write(object);
    return left === undefined
      ? undefined
      : `The form cannot show the value of "${left}", so the input stays JSON. You can send it like that.`;
  };
  toggle.addEventListener('click', () => {
    if (!isRaw) {
      raw.write(form.draft());
      given = box.value;
      show(true);
      return;
    }
    const problem = box.value === given ? undefined : toForm();
    if (problem === undefined) return show(false);
    // The form has been changed by the attempt, so that it no longer corresponds to this text.
    given = '';
    why.textContent = problem;
  });
  show(false);
  form.view.classList.add('outermost');

  return {
    view: element('div', { class: 'schema-form' }, nothing, form.view, raw.view, why),
    toggle,
    /** @returns {unknown} */
    read: () => (isRaw ? raw.read() : form.read()),
  };
}
