/** One part of a form made from a JSON Schema: a field, or a group of parts. */
import { asObject } from './mcp-messages.js';
import { alternativesOf, choicesOf, resolve } from './schema-facts.js';
import { createField } from './schema-field.js';
import { createChoice, createList, createObject } from './schema-group.js';

/** @typedef {import('./schema-field.js').Part} Part */
/** @typedef {import('./schema-field.js').PartOptions} PartOptions */

/** How deep parts are nested, as schemas may contain themselves. Deeper values are raw JSON. */
const MAX_DEPTH = 5;

/**
 * Makes the part of a schema.
 *
 * @param {PartOptions} options
 * @returns {Part}
 */
export function createPart({ name, schema, required, root, depth = 0 }) {
  const face = resolve(schema, root);
  if (choicesOf(face) !== undefined || depth > MAX_DEPTH)
    return createField({ name, face, required, nullable: false, root });
  const { branches, nullable } = alternativesOf(face, root);
  const [first = {}] = branches;
  const { anyOf: _any, oneOf: _one, ...own } = face;
  /** With a single alternative, what the schema says beside it holds for it, too. */
  const whole = branches.length === 1 && first !== face ? { ...own, ...first } : face;
  const { type, properties, prefixItems, items } = whole;
  const group = { name, face: whole, required, nullable, root, depth: depth + 1 };
  if (branches.length > 1) return createChoice({ ...group, branches }, createPart);
  if (type === 'object' && asObject(properties) !== undefined) return createObject(group, createPart);
  if (type === 'array' && prefixItems === undefined && asObject(items) !== undefined)
    return createList(group, createPart);
  return createField({ name, face: whole, required, nullable, root });
}
