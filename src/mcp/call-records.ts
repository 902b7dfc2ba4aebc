/**
 * Records of calls: each has a line in the log, and an event on a channel of `node:diagnostics_channel` for subscribers, such as `/metrics`
 * or a fork's own system. Without subscribers the channel costs one check.
 */
import { channel } from 'node:diagnostics_channel';
import type { Logger } from 'pino';
import { createLineLog, shownName } from '../log.ts';
import type { Caller } from './caller.ts';
import type { Trace } from './trace.ts';

/**
 * Published when a call begins. The call runs within the stores (`AsyncLocalStorage`) that are bound to the channel; the event has no
 * outcome yet.
 */
export const CALL_BEGINS = 'mcp:call:begin';
/** Published once for each call, when it has ended. */
export const CALL_ENDED = 'mcp:call';

/** The kinds of calls, as the log names them; each kind is one method of the protocol. */
export type CalledKind = 'tool' | 'prompt' | 'resource' | 'completion' | 'listing';

/** The event of a call. It holds names and ids only: never a token, an argument or an answer. */
export interface CallEvent {
  /** The method of the protocol, such as `tools/call`. */
  readonly method: string;
  readonly kind: CalledKind;
  /** The name of the tool, or of what else is called; {@link UNKNOWN} for tools and prompts that do not exist. */
  readonly name: string;
  readonly userId: string;
  readonly tokenId: string | undefined;
  /** The client's name and version, as it states them. */
  readonly client: string | undefined;
  readonly transport: Caller['transport'];
  readonly protocolVersion: string;
  readonly requestId: string;
  /** A subscriber of {@link CALL_BEGINS} may replace it: then the call's log lines and the headers for its outside calls have the new one. */
  trace: Trace | undefined;
  /** When the call began, by `performance.now()`. */
  readonly beganMs: number;
  /** How it ended: such as `ok`, `tool_error` or `call_limit`. */
  outcome?: string;
  durationMs?: number;
}

/** Outcomes that are not errors: the call has done what it could. */
export const GOOD_OUTCOMES: ReadonlySet<string> = new Set(['ok', 'input_required']);

/** Replaces a name that no tool or prompt has: a client may send any number of those, and secrets too. */
export const UNKNOWN = '(unknown)';

/** What is known of a call when it arrives. */
export interface Called {
  readonly kind: CalledKind;
  readonly name: string;
  readonly caller: Caller;
  readonly protocolVersion: string;
  /** Whether it is cancelled, so that nobody waits for its answer. */
  readonly isCancelled: () => boolean;
}

/** Records how a call ended. */
export type NoteOutcome<Outcome extends string = string> = (outcome: Outcome) => void;

/** The level and message of each kind in the log, and its method. Completions come with every key press, and lists are routine: both are `debug`. */
const KINDS = {
  tool: { level: 'info', message: 'tool call', method: 'tools/call' },
  prompt: { level: 'info', message: 'prompt served', method: 'prompts/get' },
  resource: { level: 'info', message: 'resource read', method: 'resources/read' },
  completion: { level: 'debug', message: 'argument completed', method: 'completion/complete' },
  listing: { level: 'debug', message: 'resources listed', method: 'resources/list' },
} as const satisfies Readonly<Record<CalledKind, object>>;

/** How many client names are kept in the form that the log shows. */
const MAX_CLIENTS = 1_000;

/** Records the calls of one server definition. */
export class CallRecords {
  readonly #lines: Logger;
  readonly #begins = channel(CALL_BEGINS);
  readonly #ended = channel(CALL_ENDED);
  readonly #shownClients = new Map<string, string>();

  constructor(log: Logger) {
    this.#lines = createLineLog(log);
  }

  /** Runs a call, and returns what `work` returns. `work` reports the outcome through `note` before it settles; the record is made at that moment. */
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

  /** Records the call of a tool that does not exist. */
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

  /** Writes the log line of a call. */
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

  /** A client's name as the log shows it. */
  #shown(client: string): string {
    const known = this.#shownClients.get(client);
    if (known !== undefined) return known;
    if (this.#shownClients.size >= MAX_CLIENTS) this.#shownClients.clear();
    const shown = shownName(client);
    this.#shownClients.set(client, shown);
    return shown;
  }
}

/** Makes the event of a call that begins. */
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

/** The `note` of a call that nobody records. */
function noteNothing(): void {}

/** A client's name and version in one text; undefined if it states no name. */
export function clientNameOf(said: unknown): string | undefined {
  if (typeof said !== 'object' || said === null || !('name' in said) || typeof said.name !== 'string')
    return undefined;
  const version = 'version' in said && typeof said.version === 'string' ? ` ${said.version}` : '';
  return `${said.name}${version}`.slice(0, MAX_CLIENT_CHARS);
}

/** The longest client name that is kept, longer than those of real clients. Characters. */
const MAX_CLIENT_CHARS = 200;
