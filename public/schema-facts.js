/** What a form needs to know about a JSON Schema: references, alternatives, whether a value fits, and a first value. */
import { asObject } from './mcp-messages.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/** How deep references are followed, and skeletons are filled in. */
const MAX_DEPTH = 6;

/**
 * Returns a schema with its reference resolved, if that points into the same schema.
 *
 * @param {unknown} schema
 * @param {Json} root
 * @returns {Json}
 */
export function resolve(schema, root, depth = 0) {
  const { $ref: reference, ...own } = asObject(schema) ?? {};
  if (typeof reference !== 'string' || !reference.startsWith('#') || depth > MAX_DEPTH) return own;
  const keys = reference.split('/').slice(1);
  const target = keys.reduce(
    (/** @type {unknown} */ at, key) => asObject(at)?.[key.replaceAll('~1', '/').replaceAll('~0', '~')],
    root,
  );
  return { ...resolve(target, root, depth + 1), ...own };
}

/**
 * The alternatives of which a value must fit one, and whether it may be null as well: `null` is a checkbox beside the field, not a field.
 *
 * @param {Json} face
 * @param {Json} root
 * @returns {{ branches: Json[], nullable: boolean }}
 */
export function alternativesOf(face, root) {
  const { anyOf, oneOf, type, ...others } = face;
  // Beside `properties`, alternatives only say which of these go together.
  const listed = 'properties' in face ? undefined : (anyOf ?? oneOf);
  /** @type {unknown[]} */
  const types = Array.isArray(type)
    ? type.map((one) => Object.assign({ type: String(one) }, others))
    : [face];
  const all = (Array.isArray(listed) ? listed : types).map((branch) => resolve(branch, root));
  const branches = all.filter((branch) => branch['type'] !== 'null');
  return { branches, nullable: branches.length < all.length };
}

/**
 * The values that a schema allows; undefined if it does not list them.
 *
 * @param {Json} face
 * @returns {readonly unknown[] | undefined}
 */
export function choicesOf(face) {
  if ('const' in face) return [face['const']];
  return Array.isArray(face['enum']) ? face['enum'] : undefined;
}

/**
 * Whether two values are the same JSON.
 *
 * @param {unknown} one
 * @param {unknown} other
 */
export function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * Whether a value has the shape of a schema: enough to tell alternatives apart. The server checks the rest.
 *
 * @param {unknown} schema
 * @param {unknown} value
 * @param {Json} root
 * @returns {boolean}
 */
export function hasShape(schema, value, root) {
  const face = resolve(schema, root);
  const choices = choicesOf(face);
  if (choices !== undefined) return choices.some((choice) => isSame(choice, value));
  const { branches, nullable } = alternativesOf(face, root);
  if (value === null) return nullable;
  const [only] = branches;
  if (only === undefined || branches.length > 1 || nullable)
    return branches.some((branch) => hasShape(branch, value, root));
  const { type, properties, required } = only;
  if (type === undefined) return true;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type !== 'object') return typeof value === type;
  const object = asObject(value);
  if (object === undefined) return false;
  const isWhole = (Array.isArray(required) ? required : []).every((key) => String(key) in object);
  const known = Object.entries(asObject(properties) ?? {});
  return isWhole && known.every(([key, one]) => !(key in object) || hasShape(one, object[key], root));
}

/**
 * The smallest value that fits a schema, as a start for editing.
 *
 * @param {unknown} schema
 * @param {Json} root
 * @returns {unknown}
 */
export function skeletonOf(schema, root, depth = 0) {
  const face = resolve(schema, root);
  if ('default' in face) return face['default'];
  const choices = choicesOf(face);
  if (choices !== undefined) return choices[0];
  const { branches } = alternativesOf(face, root);
  const [first] = branches;
  if (first === undefined || depth > MAX_DEPTH) return null;
  if (first !== face && branches.length > 1) return skeletonOf(first, root, depth + 1);
  const { type, properties, required, items, prefixItems, minItems, minimum } = first;
  if (type === 'string') return '';
  if (type === 'number' || type === 'integer') return Math.max(Number(minimum ?? 0), 0);
  if (type === 'boolean') return false;
  if (type === 'array') {
    const places = Array.isArray(prefixItems) ? prefixItems : minItems ? [items] : [];
    return places.map((place) => skeletonOf(place, root, depth + 1));
  }
  if (type !== 'object') return null;
  const needed = Array.isArray(required) ? required.map(String) : [];
  const known = asObject(properties) ?? {};
  return Object.fromEntries(needed.map((key) => [key, skeletonOf(known[key], root, depth + 1)]));
}
