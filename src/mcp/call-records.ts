/**
 * What is told of each call: its line in the log, and an event on a channel of `node:diagnostics_channel` for whoever listens, such as
 * `/metrics` or a fork's own system. Nobody listening costs one look.
 */
import { channel } from 'node:diagnostics_channel';
import type { Logger } from 'pino';
import { createLineLog, shownName } from '../log.ts';
import type { Caller } from './caller.ts';
import type { Trace } from './trace.ts';

/** Published when a call begins, and the call runs within the stores that are bound to it; the event lacks its end. */
export const CALL_BEGINS = 'mcp:call:begin';
/** Published once for each call, when it has ended. */
export const CALL_ENDED = 'mcp:call';

/** What is called, by the method of the protocol and by the word that the log has for it. */
export type CalledKind = 'tool' | 'prompt' | 'resource' | 'completion' | 'listing';

/** A call as the channels have it. Names and ids only: never a token, an argument or an answer. */
export interface CallEvent {
  /** Of the protocol, such as `tools/call`. */
  readonly method: string;
  readonly kind: CalledKind;
  /** The tool's name, or what else is called; {@link UNKNOWN} for tools and prompts that there are not. */
  readonly name: string;
  readonly userId: string;
  readonly tokenId: string | undefined;
  /** The client's name and version, as it says them of itself. */
  readonly client: string | undefined;
  readonly transport: Caller['transport'];
  readonly protocolVersion: string;
  readonly requestId: string;
  /** Who listens to {@link CALL_BEGINS} may put another one in its place: the call's lines have it, and what it hands to outside calls. */
  trace: Trace | undefined;
  /** Of `performance.now()`. */
  readonly beganMs: number;
  /** How it ended: `ok`, `tool_error`, `call_limit` and the like; docs/11 lists them. */
  outcome?: string;
  durationMs?: number;
}

/** Outcomes that are no error: the call has done what it could. */
export const GOOD_OUTCOMES: ReadonlySet<string> = new Set(['ok', 'input_required']);

/** What stands in the place of a name that no tool or prompt has: a client may send any number of those, and secrets too. */
export const UNKNOWN = '(unknown)';

/** What is known of a call when it comes. */
export interface Called {
  readonly kind: CalledKind;
  readonly name: string;
  readonly caller: Caller;
  readonly protocolVersion: string;
  /** Whether nobody waits for its answer any more. */
  readonly isCancelled: () => boolean;
}

/** Hears how a call ended. */
export type NoteOutcome<Outcome extends string = string> = (outcome: Outcome) => void;

/** How the log and the protocol name what is called. Completions come with each key that a user presses, and lists are no news. */
const KINDS = {
  tool: { level: 'info', message: 'tool call', method: 'tools/call' },
  prompt: { level: 'info', message: 'prompt served', method: 'prompts/get' },
  resource: { level: 'info', message: 'resource read', method: 'resources/read' },
  completion: { level: 'debug', message: 'argument completed', method: 'completion/complete' },
  listing: { level: 'debug', message: 'resources listed', method: 'resources/list' },
} as const satisfies Readonly<Record<CalledKind, object>>;

/** So many names of clients are kept as the log shows them. */
const MAX_CLIENTS = 1_000;

/** Tells of the calls of one server definition. */
export class CallRecords {
  readonly #lines: Logger;
  readonly #begins = channel(CALL_BEGINS);
  readonly #ended = channel(CALL_ENDED);
  readonly #shownClients = new Map<string, string>();

  constructor(log: Logger) {
    this.#lines = createLineLog(log);
  }

  /** Runs a call, which says how it ended before it is settled; the record is made then. */
  follow<Result>(called: Called, work: (note: NoteOutcome, caller: Caller) => Result): Result {
    const { caller } = called;
    const isHeard = this.#ended.hasSubscribers || this.#begins.hasSubscribers;
    if (!isHeard && !this.#lines.isLevelEnabled(KINDS[called.kind].level)) return work(noteNothing, caller);
    const event = eventOf(called);
    const note: NoteOutcome = (outcome) => {
      event.outcome = called.isCancelled() ? 'cancelled' : outcome;
      event.durationMs = performance.now() - event.beganMs;
      this.#write(event);
      if (this.#ended.hasSubscribers) this.#ended.publish(event);
    };
    if (!this.#begins.hasSubscribers) return work(note, caller);
    return this.#begins.runStores(event, () =>
      work(note, event.trace === caller.trace ? caller : { ...caller, trace: event.trace }),
    );
  }

  /** Notes the call of a tool that there is not. */
  noteUnknown(caller: Caller, protocolVersion: string): void {
    const called = {
      kind: 'tool',
      name: UNKNOWN,
      caller,
      protocolVersion,
      isCancelled: () => false,
    } as const;
    this.follow(called, (note) => note('unknown_tool'));
  }

  /** Writes the line of a call. */
  #write(event: CallEvent): void {
    const { kind, name, userId, tokenId, client, transport, requestId, trace, outcome } = event;
    const { level, message } = KINDS[kind];
    if (!this.#lines.isLevelEnabled(level)) return;
    this.#lines[level](
      {
        requestId,
        userId,
        tokenId,
        [kind]: name,
        transport,
        client: client && this.#shown(client),
        outcome,
        durationMs: Math.round((event.durationMs ?? 0) * 100) / 100,
        traceId: trace?.traceId,
      },
      message,
    );
  }

  /** What the log shows of a client's name. */
  #shown(client: string): string {
    const known = this.#shownClients.get(client);
    if (known !== undefined) return known;
    if (this.#shownClients.size >= MAX_CLIENTS) this.#shownClients.clear();
    const shown = shownName(client);
    this.#shownClients.set(client, shown);
    return shown;
  }
}

/** A call that begins. */
function eventOf({ kind, name, caller, protocolVersion }: Called): CallEvent {
  const { user, grant, client, transport, requestId, trace } = caller;
  return {
    method: KINDS[kind].method,
    kind,
    name,
    userId: user.userId,
    tokenId: grant.tokenId,
    client,
    transport,
    protocolVersion,
    requestId,
    trace,
    beganMs: performance.now(),
  };
}

/** What nobody wants to know. */
function noteNothing(): void {}

/** A client's name and version in one text; undefined where it says no name. */
export function clientNameOf(said: unknown): string | undefined {
  if (typeof said !== 'object' || said === null || !('name' in said) || typeof said.name !== 'string')
    return undefined;
  const version = 'version' in said && typeof said.version === 'string' ? ` ${said.version}` : '';
  return `${said.name}${version}`.slice(0, MAX_CLIENT_CHARS);
}

/** Longer than the names of real clients. */
const MAX_CLIENT_CHARS = 200;
