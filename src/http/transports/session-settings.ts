/**
 * What a client sets in its session and no id can carry: its log level, and the resources that it subscribes to. Where there are other
 * processes it stands in a record that all can read, one for each such session, and each that serves the session applies it.
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
  /** Who has it set, where this process says so to the session's server by itself. */
  readonly caller: Caller;
}

/** What becomes of a field of the record. */
interface SettingChange {
  readonly field: string;
  /** Undefined where it is taken back. */
  readonly setting: Setting | undefined;
}

/** What is needed to share settings. */
export interface SessionSettingsParts {
  readonly peers: Peers;
  /** After this time no process takes up a session any more. */
  readonly maxAgeMs: number;
  readonly find: (ref: SessionRef) => StreamableTransport | undefined;
}

/** As many as a session may subscribe to, and its level. */
const MAX_SETTINGS = 1_001;

/** The field that every record has from the start: without it nobody knows what the client had set. */
const BEGUN = 'begun';

/** The settings of sessions, here and in the record. */
export class SessionSettings {
  readonly #parts: SessionSettingsParts;
  /** What the clients of this process's sessions have set. */
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

  /** Begins the record of a session; false where that cannot be, and the session is one of this process alone. */
  async begin(ref: SessionRef): Promise<boolean> {
    const { peers, maxAgeMs } = this.#parts;
    if (peers.standing !== 'together') return false;
    return peers.records.write(nameOf(ref), { [BEGUN]: '' }, maxAgeMs).then(
      () => true,
      () => {
        // A Redis that hangs may write it later.
        this.drop(ref);
        return false;
      },
    );
  }

  /** What the client of a session has set; undefined where nobody knows. */
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

  /** Has a session keep its settings from here on, beginning with these. */
  follow(transport: StreamableTransport, settings: ReadonlyMap<string, Setting>, caller: Caller): void {
    this.#here.set(transport, { settings: new Map(), caller });
    for (const [field, setting] of settings) this.#apply(transport, { field, setting }, caller);
  }

  /** Hears that a session has ended here; one that its client has ended needs no record any more. */
  leave(transport: StreamableTransport, isOver: boolean): void {
    if (this.#here.delete(transport) && isOver) this.drop(transport.session);
  }

  /** Takes out the record of a session that nobody can come back to. */
  drop(ref: SessionRef): void {
    this.#parts.peers.records.remove(nameOf(ref)).catch(() => undefined);
  }

  /**
   * Notes what a message of a client sets; undefined where it sets nothing, or where nobody else would want to know.
   * @throws {PeersUnreachableError} when others could not come to know of it
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
    // What is too much the session's server refuses.
    if (settings.size >= MAX_SETTINGS && !settings.has(change.field)) return undefined;
    return this.#share(transport.session, change, callerOf()).then(() => keep(settings, change));
  }

  async #share({ id, userId }: SessionRef, change: SettingChange, caller: Caller): Promise<void> {
    const { peers, maxAgeMs } = this.#parts;
    const { field, setting } = change;
    const text = setting && JSON.stringify(setting);
    await peers.records.write(nameOf({ id, userId }), { [BEGUN]: '', [field]: text }, maxAgeMs);
    await peers.tell('setting', { id, userId, change, caller: spellCaller(caller) });
  }

  /** Has the server of a session know of a setting. */
  #apply(transport: StreamableTransport, change: SettingChange, caller: Caller): void {
    const settings = this.#here.get(transport)?.settings;
    const said = change.setting ?? takenBack(settings?.get(change.field));
    if (settings === undefined || said === undefined) return;
    keep(settings, change);
    transport.mcp.apply(said, caller);
  }

  /** Brings a session up to what was set elsewhere while the others were out of reach, or the record to what is known here. */
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

/** Where the settings of a session are. */
function nameOf({ id, userId }: SessionRef): string {
  // An id holds no blank.
  return `settings ${id} ${userId}`;
}

/** Notes what becomes of a setting. */
function keep(settings: Map<string, Setting>, { field, setting }: SettingChange): void {
  if (setting === undefined) settings.delete(field);
  else settings.set(field, setting);
}

/** What a message sets, or takes back. */
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

/** The field of a resource: names of fields can be read by others, and an address may say much. */
function fieldOf(sessionId: string, uri: string): string {
  return createHmac('sha256', sessionId).update(uri).digest('base64url');
}

/** What takes a setting back, where something does. */
function takenBack(setting: Setting | undefined): Setting | undefined {
  return setting?.method === 'resources/subscribe'
    ? { method: 'resources/unsubscribe', params: setting.params }
    : undefined;
}
