/**
 * What a client sets in its session, and a session id cannot carry: its log level and its resource subscriptions. Where there are several
 * processes, each such session has a record that all can read, and every process that serves the session applies it.
 */
import { createHmac } from 'node:crypto';
import { isSpecType, type JSONRPCMessage } from '@modelcontextprotocol/server';
import type { Caller } from '../../mcp/caller.ts';
import { isRequest } from '../../mcp/messages.ts';
import type { Setting } from '../../mcp/sdk-session.ts';
import type { Peers } from '../../sessions/peers.ts';
import { readCaller, type SpelledCaller, spellCaller } from './peer-callers.ts';
import type { StreamableTransport } from './streamable-transport.ts';

/** A session, as processes name it to each other. */
export interface SessionRef {
  readonly id: string;
  readonly userId: string;
}

/** What has been set in a session of this process. */
interface Kept {
  readonly settings: Map<string, Setting>;
  /** The caller in whose name this process applies settings by itself. */
  readonly caller: Caller;
}

/** A change of one field of the record. */
interface SettingChange {
  readonly field: string;
  /** Undefined: the setting is removed. */
  readonly setting: Setting | undefined;
}

/** What is needed to share settings. */
export interface SessionSettingsParts {
  readonly peers: Peers;
  /** The age at which sessions can no longer be resumed in any process. */
  readonly maxAgeMs: number;
  readonly find: (ref: SessionRef) => StreamableTransport | undefined;
}

/** The most settings of a session: as many resources as it may subscribe to, and its log level. */
const MAX_SETTINGS = 1_001;

/** The field that every record has from the start: a record without it has been lost, and with it what the client had set. */
const BEGUN = 'begun';

/** The settings of sessions, here and in the record. */
export class SessionSettings {
  readonly #parts: SessionSettingsParts;
  /** The settings of the sessions of this process. */
  readonly #here = new Map<StreamableTransport, Kept>();

  constructor(parts: SessionSettingsParts) {
    this.#parts = parts;
    const { peers, find } = parts;
    peers.onTell(
      'setting',
      ({ change, caller, ...ref }: SessionRef & { change: SettingChange; caller: SpelledCaller }) => {
        const transport = find(ref);
        if (transport !== undefined) this.#apply(transport, change, readCaller(caller));
      },
    );
    peers.onReturn(() => {
      for (const [transport, kept] of this.#here) void this.#catchUp(transport, kept).catch(() => undefined);
    });
  }

  /** Begins the record of a session; false where it cannot be written, so that only this process can serve the session. */
  async begin(ref: SessionRef): Promise<boolean> {
    const { peers, maxAgeMs } = this.#parts;
    if (peers.standing !== 'together') return false;
    return peers.records.write(nameOf(ref), { [BEGUN]: '' }, maxAgeMs).then(
      () => true,
      () => {
        // A Redis that hangs may still write it later.
        this.drop(ref);
        return false;
      },
    );
  }

  /** What the client of a session has set; undefined where there is no whole record. */
  async read(ref: SessionRef): Promise<ReadonlyMap<string, Setting> | undefined> {
    const record = await this.#parts.peers.records.read(nameOf(ref));
    if (!record.has(BEGUN)) return undefined;
    return new Map(
      [...record].flatMap(([field, text]) =>
        // oxlint-disable-next-line no-unsafe-type-assertion -- only a process of this server can have sealed it
        field === BEGUN ? [] : [[field, JSON.parse(text) as Setting] as const],
      ),
    );
  }

  /** Applies these settings to a session of this process, and follows their changes from now on. */
  follow(transport: StreamableTransport, settings: ReadonlyMap<string, Setting>, caller: Caller): void {
    this.#here.set(transport, { settings: new Map(), caller });
    for (const [field, setting] of settings) this.#apply(transport, { field, setting }, caller);
  }

  /** Stops following a session that has ended here. `isOver`: it cannot be resumed anywhere, so its record is removed. */
  leave(transport: StreamableTransport, isOver: boolean): void {
    if (this.#here.delete(transport) && isOver) this.drop(transport.session);
  }

  /** Removes the record of a session. */
  drop(ref: SessionRef): void {
    this.#parts.peers.records.remove(nameOf(ref)).catch(() => undefined);
  }

  /**
   * Shares what a message of a client sets; undefined where it sets nothing, or its session is not followed.
   * @throws {PeersUnreachableError} when it cannot be shared
   */
  note(
    transport: StreamableTransport,
    message: JSONRPCMessage,
    callerOf: () => Caller,
  ): Promise<void> | undefined {
    const kept = this.#here.get(transport);
    const change = kept && changeOf(transport.session.id, message);
    if (kept === undefined || change === undefined) return undefined;
    const { settings } = kept;
    // The session's server refuses one subscription too many.
    if (settings.size >= MAX_SETTINGS && !settings.has(change.field)) return undefined;
    return this.#share(transport.session, change, callerOf()).then(() => keep(settings, change));
  }

  /** Writes a change to the record, and tells the other processes. */
  async #share({ id, userId }: SessionRef, change: SettingChange, caller: Caller): Promise<void> {
    const { peers, maxAgeMs } = this.#parts;
    const { field, setting } = change;
    const text = setting && JSON.stringify(setting);
    await peers.records.write(nameOf({ id, userId }), { [BEGUN]: '', [field]: text }, maxAgeMs);
    await peers.tell('setting', { id, userId, change, caller: spellCaller(caller) });
  }

  /** Applies a change to the server of a session. */
  #apply(transport: StreamableTransport, change: SettingChange, caller: Caller): void {
    const settings = this.#here.get(transport)?.settings;
    const said = change.setting ?? takenBack(settings?.get(change.field));
    if (settings === undefined || said === undefined) return;
    keep(settings, change);
    transport.mcp.apply(said, caller);
  }

  /** After the others were out of reach: applies what was set elsewhere, or writes a record that was lost anew. */
  async #catchUp(transport: StreamableTransport, { settings, caller }: Kept): Promise<void> {
    const { peers, maxAgeMs } = this.#parts;
    const record = await this.read(transport.session);
    if (record === undefined) {
      const all: Record<string, string> = { [BEGUN]: '' };
      for (const [field, setting] of settings) all[field] = JSON.stringify(setting);
      await peers.records.write(nameOf(transport.session), all, maxAgeMs);
    } else {
      for (const [field, setting] of record) this.#apply(transport, { field, setting }, caller);
      for (const field of settings.keys())
        if (!record.has(field)) this.#apply(transport, { field, setting: undefined }, caller);
    }
  }
}

/** The name of a session's record. */
function nameOf({ id, userId }: SessionRef): string {
  // A session id holds no blank.
  return `settings ${id} ${userId}`;
}

/** Makes a change in a map of settings. */
function keep(settings: Map<string, Setting>, { field, setting }: SettingChange): void {
  if (setting === undefined) settings.delete(field);
  else settings.set(field, setting);
}

/** The setting that a message changes, if it does. */
function changeOf(sessionId: string, message: JSONRPCMessage): SettingChange | undefined {
  if (!isRequest(message)) return undefined;
  const { method, params } = message;
  const setting = { method, params: params ?? {} };
  if (method === 'logging/setLevel')
    return isSpecType.SetLevelRequest(message) ? { field: 'level', setting } : undefined;
  if (method === 'resources/subscribe' && isSpecType.SubscribeRequest(message))
    return { field: fieldOf(sessionId, message.params.uri), setting };
  if (method === 'resources/unsubscribe' && isSpecType.UnsubscribeRequest(message))
    return { field: fieldOf(sessionId, message.params.uri), setting: undefined };
  return undefined;
}

/** The field of a subscription: a digest, because names of fields are not sealed and a URI may hold private data. */
function fieldOf(sessionId: string, uri: string): string {
  return createHmac('sha256', sessionId).update(uri).digest('base64url');
}

/** The request that removes a setting, if there is one. */
function takenBack(setting: Setting | undefined): Setting | undefined {
  return setting?.method === 'resources/subscribe'
    ? { method: 'resources/unsubscribe', params: setting.params }
    : undefined;
}
