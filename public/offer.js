/** What the server offers to this user, by its capabilities: tools, prompts, resources. */
import { asObject, parseObject } from './mcp-messages.js';

/** @typedef {import('./mcp-client.js').Json} Json */
/** @typedef {import('./mcp-client.js').McpClient} McpClient */

/**
 * @typedef {{ name: string, title: string, description: string }} Entry `name` identifies it in requests
 * @typedef {Entry & { inputSchema: Json, outputSchema: Json | undefined, annotations: Json, scope: string | undefined }} Tool
 * @typedef {Entry & { fields: { name: string, description: string, required: boolean }[] }} Prompt
 * @typedef {Entry & { isTemplate: boolean }} Resource its `name` is its URI, or its URI template
 * @typedef {{ tools: Tool[], prompts: Prompt[], resources: Resource[], completes: boolean, user: Json }} Offer
 */

/** How many pages of a list are read at most. */
const MAX_PAGES = 20;

/**
 * Requests everything that the server offers.
 *
 * @param {McpClient} client
 * @returns {Promise<Offer>}
 */
export async function readOffer(client) {
  const capabilities = asObject((await client.request('server/discover'))['capabilities']) ?? {};
  /**
   * @param {string} capability
   * @param {string} method
   * @param {string} key
   */
  const list = async (capability, method, key) =>
    capability in capabilities ? listAll(client, method, key) : [];
  const [tools, prompts, resources, templates, { scopes, user }] = await Promise.all([
    list('tools', 'tools/list', 'tools'),
    list('prompts', 'prompts/list', 'prompts'),
    list('resources', 'resources/list', 'resources'),
    list('resources', 'resources/templates/list', 'resourceTemplates'),
    askBesides(client),
  ]);
  return {
    tools: tools.flatMap((entry) => entriesOf(entry, 'name').map((face) => toolOf(face, entry, scopes))),
    prompts: prompts.flatMap((entry) => entriesOf(entry, 'name').map((face) => promptOf(face, entry))),
    resources: [
      ...resources.flatMap((entry) => resourcesOf(entry, 'uri')),
      ...templates.flatMap((entry) => resourcesOf(entry, 'uriTemplate')),
    ],
    completes: 'completions' in capabilities,
    user,
  };
}

/**
 * Reads all pages of a list.
 *
 * @param {McpClient} client
 * @param {string} method
 * @param {string} key
 */
async function listAll(client, method, key) {
  /** @type {Json[]} */
  const entries = [];
  /** @type {unknown} */
  let cursor;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const result = await client.request(method, typeof cursor === 'string' ? { cursor } : {});
    const listed = result[key];
    if (Array.isArray(listed)) entries.push(...listed.map((entry) => asObject(entry) ?? {}));
    cursor = result['nextCursor'];
    if (typeof cursor !== 'string') break;
  }
  return entries;
}

/**
 * Reads what only `/tools` says: who the user is, as a fork may have no tool that tells, and the scopes that tools need.
 *
 * @param {McpClient} client
 */
async function askBesides(client) {
  const response = await client.send('/tools?scopes');
  const { user, tools } = parseObject(await response.text()) ?? {};
  const entries = (Array.isArray(tools) ? tools : []).map((tool) => asObject(tool) ?? {});
  const scopes = new Map(entries.map(({ name, scope }) => [name, scope]));
  return { user: asObject(user) ?? {}, scopes };
}

/**
 * The name, title and description of a list's entry, or nothing if it has no name; `key` is the property of its name.
 *
 * @param {Json} entry
 * @param {string} key
 * @returns {Entry[]}
 */
function entriesOf(entry, key) {
  const { [key]: name, title = entry['name'], description } = entry;
  if (typeof name !== 'string') return [];
  return [
    {
      name,
      title: typeof title === 'string' ? title : name,
      description: typeof description === 'string' ? description : '',
    },
  ];
}

/**
 * A resource of a list, or nothing if it has no URI.
 *
 * @param {Json} entry
 * @param {'uri' | 'uriTemplate'} key
 * @returns {Resource[]}
 */
function resourcesOf(entry, key) {
  const [face] = entriesOf(entry, key);
  return face === undefined ? [] : [{ ...face, isTemplate: key === 'uriTemplate' }];
}

/**
 * @param {Entry} face
 * @param {Json} entry
 * @param {ReadonlyMap<unknown, unknown>} scopes
 * @returns {Tool}
 */
function toolOf(face, { inputSchema, outputSchema, annotations }, scopes) {
  const scope = scopes.get(face.name);
  return {
    ...face,
    inputSchema: asObject(inputSchema) ?? {},
    outputSchema: asObject(outputSchema),
    annotations: asObject(annotations) ?? {},
    scope: typeof scope === 'string' ? scope : undefined,
  };
}

/**
 * @param {Entry} face
 * @param {Json} entry
 * @returns {Prompt}
 */
function promptOf(face, entry) {
  const fields = Array.isArray(entry['arguments']) ? entry['arguments'] : [];
  return {
    ...face,
    fields: fields.flatMap((field) =>
      entriesOf(asObject(field) ?? {}, 'name').map(({ name, description }) => ({
        name,
        description,
        required: asObject(field)?.['required'] === true,
      })),
    ),
  };
}
