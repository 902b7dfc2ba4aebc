/** The notes in a session's id: what another process has to know of the client to go on with the session. */
import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import type { Handshake } from '../../mcp/sdk-session.ts';
import type { McpDefinition } from '../../mcp/server.ts';
import { MAX_NOTES_BYTES } from '../../sessions/session-ids.ts';

/** The notes of a session that an `initialize` request opens; undefined when a feature keeps state in sessions, which notes cannot carry. */
export function spellNotes(definition: McpDefinition, { params }: JSONRPCRequest): string | undefined {
  const { features = [], tools } = definition;
  if (features.some(({ keepsSessionState = false }) => keepsSessionState)) return undefined;
  const { protocolVersion, capabilities, clientInfo } = params ?? {};
  // Only features, and tools that elicit, can ask for the client's info and capabilities. Its name is always kept, for the log.
  const asks = features.length > 0 || tools.some(({ elicits = false }) => elicits);
  const info = shortInfoOf(clientInfo);
  const version = String(protocolVersion).slice(0, MAX_VERSION_CHARS);
  const spellings = asks
    ? [
        () => ({ protocolVersion, capabilities, clientInfo }),
        // When there is no room, parts are left out: first icons and descriptions, then capabilities that no revision has.
        () => ({ protocolVersion: version, capabilities, clientInfo: info }),
        () => ({
          protocolVersion: version,
          capabilities: knownPartOf(capabilities, ABILITIES),
          clientInfo: info,
        }),
      ]
    : [() => ({ protocolVersion: version, clientInfo: info })];
  let notes = '';
  for (const spelling of spellings) {
    notes = JSON.stringify(spelling());
    if (Buffer.byteLength(notes) <= MAX_NOTES_BYTES) break;
  }
  return notes;
}

/** The longest name and version of a client: longer ones are of no use in a log. Characters. */
const MAX_CHARS = 40;

/** The longest name of a revision that is kept: no real one is longer. Characters. */
const MAX_VERSION_CHARS = 20;

/** The name and the version of a client, cut to a length: with all that clients may say of themselves, an id would be too long. */
function shortInfoOf(clientInfo: unknown): object | undefined {
  if (typeof clientInfo !== 'object' || clientInfo === null) return undefined;
  const texts = Object.entries(clientInfo).flatMap(([name, text]: [string, unknown]) =>
    (name === 'name' || name === 'version') && typeof text === 'string'
      ? [[name, text.slice(0, MAX_CHARS)] as const]
      : [],
  );
  return Object.fromEntries(texts);
}

/** Known members of an object, each with its own known members; undefined stands for a boolean. */
interface Known {
  readonly [name: string]: Known | undefined;
}

/** The client capabilities of the revisions that have sessions. */
const ABILITIES: Known = {
  roots: { listChanged: undefined },
  sampling: { context: {}, tools: {} },
  elicitation: { form: { applyDefaults: undefined }, url: {} },
  tasks: {
    list: {},
    cancel: {},
    requests: { sampling: { createMessage: {} }, elicitation: { create: {} } },
  },
};

/** The known members of what a client has sent. */
function knownPartOf(said: unknown, known: Known): object {
  const part: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(said ?? {}) as [string, unknown][]) {
    if (!Object.hasOwn(known, name)) continue;
    const inner = known[name];
    if (inner === undefined) part[name] = value === true;
    else if (typeof value === 'object') part[name] = knownPartOf(value, inner);
  }
  return part;
}

/** Whether the clients of a server can set what notes do not carry: a log level, or resource subscriptions. */
export function hasSettings({ options, lateCapabilities }: McpDefinition): boolean {
  return options.capabilities?.logging !== undefined || lateCapabilities.resources?.subscribe === true;
}

/** The handshake with the client of a session, from its notes. */
export function readNotes(notes: string): Handshake {
  // oxlint-disable-next-line no-unsafe-type-assertion -- they have been sealed since they were spelled above
  const told = JSON.parse(notes) as NonNullable<JSONRPCRequest['params']>;
  return { params: { ...NOTHING_SAID, ...told }, isInitialized: true };
}

/** What the SDK's server needs for its handshake even when the notes do not have it. */
const NOTHING_SAID = { capabilities: {}, clientInfo: { name: 'unknown', version: '0' } };
