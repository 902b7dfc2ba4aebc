/** A form made from a tool's input schema, which can be edited as JSON and as a form in turns. */
import { element } from './element.js';
import { asObject, parseObject } from './mcp-messages.js';
import { createPart } from './schema-part.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/**
 * Makes the form of a schema. `read` returns the arguments; what is left empty and is optional is left out.
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
  // The whole schema stands below, beside that of the output.
  raw.view.querySelector('.schema')?.remove();
  const box = raw.view.querySelector('textarea');
  if (box === null) throw new Error('A field for JSON is a text of many lines.');
  /** The text as it was put in: whoever has not touched it finds the form as it was. */
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
      : `The form has no place for what "${left}" is, so it stays JSON. It can be sent like that.`;
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
    // What has been written into the form is not what stands here.
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
