/** What a session's id says of its client, so that another process can go on where the one that opened it stopped. */
import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import type { Handshake } from '../../mcp/sdk-session.ts';
import type { McpDefinition } from '../../mcp/server.ts';

/** The notes of a session that an `initialize` request opens; undefined where a feature comes to know more than anything here could tell. */
export function spellNotes(definition: McpDefinition, { params }: JSONRPCRequest): string | undefined {
  const { features = [], tools } = definition;
  if (features.some(({ keepsSessionState = false }) => keepsSessionState)) return undefined;
  const { protocolVersion, capabilities, clientInfo } = params ?? {};
  // Nothing else could ask what the client is and can do; its name is for the log.
  const asks = features.length > 0 || tools.some(({ elicits = false }) => elicits);
  return JSON.stringify(
    asks
      ? { protocolVersion, capabilities, clientInfo }
      : { protocolVersion, clientInfo: shortInfoOf(clientInfo) },
  );
}

/** Longer names and versions are of no use in a log. Characters. */
const MAX_CHARS = 40;

/** What the log says of a client: an id that says all that the client may say would be a long one. */
function shortInfoOf(clientInfo: unknown): object | undefined {
  if (typeof clientInfo !== 'object' || clientInfo === null) return undefined;
  const texts = Object.entries(clientInfo).filter(([name]) => name === 'name' || name === 'version');
  return Object.fromEntries(texts.map(([name, text]) => [name, String(text).slice(0, MAX_CHARS)]));
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
