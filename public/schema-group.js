/** Parts of a form that contain other parts: the fields of an object, the items of a list, one of several alternatives. */
import { element } from './element.js';
import { asObject } from './mcp-messages.js';
import { choicesOf, hasShape, resolve, skeletonOf } from './schema-facts.js';
import { createNullTick, headOf, textOf } from './schema-field.js';

/** @typedef {import('./mcp-client.js').Json} Json */
/** @typedef {import('./schema-field.js').Part} Part */
/** @typedef {import('./schema-field.js').MakePart} MakePart */

/** @typedef {{ name: string, face: Json, required: boolean, nullable: boolean, root: Json, depth: number }} GroupOptions */

/**
 * Makes the fields of an object, the required ones first.
 *
 * @param {GroupOptions} group
 * @param {MakePart} make
 * @returns {Part}
 */
export function createObject(group, make) {
  const { face, root, depth } = group;
  const { properties, required } = face;
  const needed = new Set(Array.isArray(required) ? required : []);
  const parts = Object.entries(asObject(properties) ?? {})
    .toSorted(([one], [other]) => Number(needed.has(other)) - Number(needed.has(one)))
    .map(([name, schema]) => ({
      name,
      part: make({ name, schema, required: needed.has(name), root, depth }),
    }));
  /** @param {(part: Part) => unknown} take */
  const collect = (take) =>
    Object.fromEntries(
      parts.flatMap(({ name, part }) => {
        const value = take(part);
        return value === undefined ? [] : [[name, value]];
      }),
    );
  return createGroup(group, {
    kind: 'object',
    body: parts.map(({ part }) => part.view),
    isUntouched: () => parts.every(({ part }) => part.isUntouched()),
    read: () => collect((part) => part.read()),
    draft: () => collect((part) => part.draft()),
    write(value) {
      const object = asObject(value) ?? (value === undefined ? {} : undefined);
      if (object === undefined) return group.name;
      const strange = Object.keys(object).find((key) => parts.every(({ name }) => name !== key));
      const left = parts.map(({ name, part }) => part.write(object[name]));
      return strange ?? left.find((one) => one !== undefined);
    },
  });
}

/**
 * Makes the items of a list, each with a button that removes it.
 *
 * @param {GroupOptions} group
 * @param {MakePart} make
 * @returns {Part}
 */
export function createList(group, make) {
  const { name, face, root, depth } = group;
  const { items, maxItems } = face;
  const most = typeof maxItems === 'number' ? maxItems : Infinity;
  /** @type {Map<HTMLElement, Part>} */
  const rows = new Map();
  const list = element('ol', { class: 'items' });
  const more = element('button', { type: 'button', class: 'quiet' }, 'Add');
  more.append(element('span', { class: 'unseen' }, ` to ${name}`));
  const add = () => {
    const part = make({ name: `${name} item`, schema: items, required: true, root, depth });
    const out = element('button', { type: 'button', class: 'link' }, 'Remove');
    out.append(element('span', { class: 'unseen' }, ` item of ${name}`));
    const row = element('li', {}, part.view, out);
    out.addEventListener('click', () => {
      remove(row);
      more.focus();
    });
    rows.set(row, part);
    list.append(row);
    more.hidden = rows.size >= most;
    return part;
  };
  /** @param {HTMLElement} row */
  const remove = (row) => {
    rows.delete(row);
    row.remove();
    more.hidden = false;
  };
  more.addEventListener('click', () => {
    const { view } = add();
    const first = view.querySelector('input, select, textarea');
    if (first instanceof HTMLElement) first.focus();
  });
  const drafts = () => [...rows.values()].map((part) => part.draft());
  /** @param {unknown} value */
  const write = (value) => {
    for (const row of rows.keys()) remove(row);
    if (value !== undefined && !Array.isArray(value)) return name;
    const values = /** @type {unknown[]} */ (value ?? []);
    return values.map((one) => add().write(one)).find((left) => left !== undefined);
  };
  write(group.required || 'default' in face ? skeletonOf(face, root) : undefined);
  const start = JSON.stringify(drafts());
  return createGroup(group, {
    kind: 'list',
    body: [list, more],
    isUntouched: () => JSON.stringify(drafts()) === start,
    read: () => [...rows.values()].map((part) => part.read()),
    draft: drafts,
    write,
  });
}

/**
 * Makes a choice between alternatives. Each one keeps its input while another one is chosen.
 *
 * @param {GroupOptions & { branches: readonly Json[] }} group
 * @param {MakePart} make
 * @returns {Part}
 */
export function createChoice({ branches, ...group }, make) {
  const { name, required, root, depth } = group;
  const unset = required ? [] : [element('option', { value: '' }, '(not set)')];
  const options = branches.map((branch, index) => element('option', { value: index }, titleOf(branch, root)));
  const select = element('select', { 'aria-label': `Kind of ${name}` }, ...unset, ...options);
  const body = element('div');
  /** @type {Map<string, Part>} */
  const parts = new Map();
  const current = () => {
    const branch = branches[Number(select.value)];
    if (select.value === '' || branch === undefined) return undefined;
    const part =
      parts.get(select.value) ??
      make({ name: titleOf(branch, root), schema: branch, required: true, root, depth });
    parts.set(select.value, part);
    return part;
  };
  const show = () => {
    const part = current();
    body.replaceChildren(...(part ? [part.view] : []));
  };
  select.addEventListener('change', show);
  show();
  return createGroup(group, {
    kind: 'one of several',
    body: [select, body],
    isUntouched: () => select.selectedIndex === 0 && current()?.isUntouched() !== false,
    read: () => current()?.read(),
    draft: () => current()?.draft(),
    write(value) {
      const index = branches.findIndex((branch) => hasShape(branch, value, root));
      select.selectedIndex = index === -1 ? 0 : index + unset.length;
      show();
      if (value === undefined) return current()?.write(undefined);
      return index === -1 ? name : current()?.write(value);
    },
  });
}

/**
 * Makes what all groups have: the frame, the checkbox for null, and leaving out an optional group that is empty.
 *
 * @param {GroupOptions} options
 * @param {Omit<Part, 'view'> & { kind: string, body: readonly HTMLElement[] }} inner
 * @returns {Part}
 */
function createGroup({ name, face, required, nullable }, { kind, body, ...inner }) {
  const holder = element('div', { class: 'fields' }, ...body);
  const nothing = createNullTick(name, nullable, (isNull) => (holder.hidden = isNull));
  const legend = element('legend', {}, ...headOf(name, { kind, required, nullable }));
  const hint = element('p', { class: 'aside' }, textOf(face['description']));
  /** Whether the group was written as a whole: it is then sent, even if it is empty. */
  let isThere = 'default' in face;
  if (isThere) inner.write(face['default']);
  const isLeftOut = () => !required && !isThere && !nothing.isOn() && inner.isUntouched();
  /** @param {() => unknown} take */
  const unlessNull = (take) => (nothing.isOn() ? null : isLeftOut() ? undefined : take());
  return {
    view: element('fieldset', { class: 'field group' }, legend, hint, ...nothing.view, holder),
    isUntouched: () => !nothing.isOn() && inner.isUntouched(),
    read: () => unlessNull(inner.read),
    draft: () => unlessNull(inner.draft),
    /** @param {unknown} value */
    write(value) {
      nothing.set(value === null && nullable);
      isThere = value !== undefined;
      return inner.write(nothing.isOn() ? undefined : value);
    },
  };
}

/**
 * The name of an alternative: its title, the constant that tells it from the others, or its type.
 *
 * @param {Json} branch
 * @param {Json} root
 */
function titleOf(branch, root) {
  const { title, type, properties } = branch;
  if (typeof title === 'string') return title;
  const fixed = [branch, ...Object.values(asObject(properties) ?? {}).map((one) => resolve(one, root))]
    .map(choicesOf)
    .find((choices) => choices?.length === 1);
  if (fixed !== undefined) return String(fixed[0]);
  return TYPES[String(type)] ?? 'JSON';
}

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  array: 'list',
  object: 'object',
};
