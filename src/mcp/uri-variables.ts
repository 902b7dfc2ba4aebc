/** The variables of a URI template, found in a URI. A query at the end of the template (`{?size,page}`) may be incomplete, as RFC 6570 allows. */
import { UriTemplate } from '@modelcontextprotocol/server';

/** A template whose variables can be found in URIs. */
export interface UriVariables {
  /** The names of those that a URI may have. */
  readonly names: ReadonlySet<string>;
  /** Returns the values in a URI by their names, still encoded; undefined for a URI of another kind. */
  find(uri: string): Readonly<Record<string, string | string[]>> | undefined;
}

/** A query at the end of a template. With a star (`{?tags*}`) the SDK finds it, which requires all of it. */
const QUERY = /^([^?]*)\{\?([^{}*]+)\}$/s;

/** What the SDK does not find in a URI: `{;size}`, `{id:3}`, and in a path all but the first of `{a,b}`. */
const UNSUPPORTED = /\{(?:;[^{}]*|[^{}]*:[^{}]*|[^?&{}][^{}]*,[^{}]*)\}/;

/**
 * Reads a template. Undefined for a URI that has no variables.
 * @throws {Error} when it has an expression that is not supported
 */
export function readTemplate(uri: string): UriVariables | undefined {
  if (!UriTemplate.isTemplate(uri)) return undefined;
  const [unsupported] = UNSUPPORTED.exec(uri) ?? [];
  if (unsupported !== undefined)
    throw new Error(
      `${unsupported} in the URI ${uri} is not supported. Write {id} or {/id} for each variable of a path, and {?size,page} for a query.`,
    );
  const [, head, query] = QUERY.exec(uri) ?? [];
  const template = new UriTemplate(head ?? uri);
  const own = (query ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return {
    names: new Set([...template.variableNames, ...own]),
    find(asked) {
      if (head === undefined) return template.match(asked) ?? undefined;
      const [, path = '', rest] = /^([^?]*)(?:\?(.*))?$/s.exec(asked) ?? [];
      const found = template.match(path);
      const given = rest === undefined || rest === '' ? [] : rest.split('&').map(readPair);
      // Like a path with one step more, a query with another name is of another resource.
      if (found === null || given.some(([name]) => !own.includes(name))) return undefined;
      return { ...found, ...Object.fromEntries(given) };
    },
  };
}

/** Reads `name=value`. */
function readPair(pair: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
  return [name, value];
}
