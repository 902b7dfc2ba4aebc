/** What a session's id says of its client, so that another process can go on where the one that opened it stopped. */
import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import type { Handshake } from '../../mcp/sdk-session.ts';
import type { McpDefinition } from '../../mcp/server.ts';
import { MAX_NOTES_BYTES } from '../../sessions/session-ids.ts';

/** The notes of a session that an `initialize` request opens; undefined where a feature comes to know more than anything here could tell. */
export function spellNotes(definition: McpDefinition, { params }: JSONRPCRequest): string | undefined {
  const { features = [], tools } = definition;
  if (features.some(({ keepsSessionState = false }) => keepsSessionState)) return undefined;
  const { protocolVersion, capabilities, clientInfo } = params ?? {};
  // Nothing else could ask what the client is and can do; its name is for the log.
  const asks = features.length > 0 || tools.some(({ elicits = false }) => elicits);
  const info = shortInfoOf(clientInfo);
  const version = String(protocolVersion).slice(0, MAX_VERSION_CHARS);
  const spellings = asks
    ? [
        () => ({ protocolVersion, capabilities, clientInfo }),
        // What there is no room for, the longest first: pictures and descriptions, and then what is said of abilities that no revision has.
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

/** Longer names and versions are of no use in a log. Characters. */
const MAX_CHARS = 40;

/** No revision has a longer name. Characters. */
const MAX_VERSION_CHARS = 20;

/** What the log says of a client: an id that says all that the client may say would be a long one. */
function shortInfoOf(clientInfo: unknown): object | undefined {
  if (typeof clientInfo !== 'object' || clientInfo === null) return undefined;
  const texts = Object.entries(clientInfo).flatMap(([name, text]: [string, unknown]) =>
    (name === 'name' || name === 'version') && typeof text === 'string'
      ? [[name, text.slice(0, MAX_CHARS)] as const]
      : [],
  );
  return Object.fromEntries(texts);
}

/** Names, and what may stand under each; where there is nothing more, a yes or no. */
interface Known {
  readonly [name: string]: Known | undefined;
}

/** What the revisions that have sessions know of what clients can do. */
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

/** Of what a client says, what stands under known names. */
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

/** Whether the clients of a server can set what is not in their notes: a log level, or subscriptions. */
export function hasSettings({ options, lateCapabilities }: McpDefinition): boolean {
  return options.capabilities?.logging !== undefined || lateCapabilities.resources?.subscribe === true;
}

/** What has been agreed on with the client of a session, from its notes. */
export function readNotes(notes: string): Handshake {
  // oxlint-disable-next-line no-unsafe-type-assertion -- they have been sealed since they were spelled above
  const told = JSON.parse(notes) as NonNullable<JSONRPCRequest['params']>;
  return { params: { ...NOTHING_SAID, ...told }, isInitialized: true };
}

/** What the SDK's server, without features, has to be told for its handshake all the same. */
const NOTHING_SAID = { capabilities: {}, clientInfo: { name: 'unknown', version: '0' } };
