/** Makes elements. Strings become text, never markup: what a tool returns may be hostile. */

/**
 * Makes an element with attributes and children; strings become text.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string | number | boolean | undefined>>} [attributes] `true` sets an empty attribute; `false` and `undefined` none
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children);
  return made;
}

/**
 * Finds an element that index.html has.
 *
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function byId(id, kind) {
  const found = document.querySelector(`#${id}`);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id ${id}.`);
  return found;
}

/** How much of one text is shown: browsers get slow with megabytes in one element. Characters. */
const SHOWN_LENGTH = 100_000;

/**
 * The part of a text that is shown.
 *
 * @param {string} text
 */
export function shorten(text) {
  if (text.length <= SHOWN_LENGTH) return text;
  const hidden = (text.length - SHOWN_LENGTH).toLocaleString('en');
  return `${text.slice(0, SHOWN_LENGTH)}\n… and ${hidden} more characters`;
}

/**
 * Announces something to people who use a screen reader.
 *
 * @param {string} words
 */
export function announce(words) {
  byId('announcer', HTMLElement).textContent = words;
}
