/** The parameters that clients of 2026-07-28 repeat in a header `Mcp-Param-…` (`x-mcp-header`), and what the specification allows of them. */
import { isObject } from './plain-meta.ts';

/** The keyword that names the header in the schema of a parameter. */
const MARK = 'x-mcp-header';

/** The name of a header: a token of RFC 9110, section 5.6.2. */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);

/**
 * Refuses a tool whose input names headers as the specification forbids: clients leave such a tool out, and the SDK checks none of its
 * headers.
 * @throws {Error} that says what is allowed
 */
export function requireHeaderNames(tool: string, schema: object): void {
  const names: unknown[] = [];
  const collect = (node: unknown): void => {
    const properties = isObject(node) ? node['properties'] : undefined;
    for (const property of isObject(properties) ? Object.values(properties) : []) {
      if (isObject(property) && MARK in property)
        names.push(TYPES.has(property['type']) ? property[MARK] : undefined);
      collect(property);
    }
  };
  collect(schema);
  const marks = JSON.stringify(schema).split(`"${MARK}":"`).length - 1;
  const spelled = names.map((name) => (typeof name === 'string' ? name.toLowerCase() : ''));
  const isAllowed = spelled.every((name) => TOKEN.test(name)) && new Set(spelled).size === names.length;
  if (isAllowed && marks === names.length) return;
  throw new Error(
    `${tool}: ${MARK} must be a header name that no other input has. The input must be a string, an integer or a boolean outside of arrays and unions; it may be .optional(), but not .nullable().`,
  );
}
