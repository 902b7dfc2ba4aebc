/** Counts the calls and refusals that the channels publish. The names are those of OpenTelemetry's conventions for MCP, where it has one. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CALL_ENDED, type CallEvent, GOOD_OUTCOMES } from '../../mcp/call-records.ts';
import { LOGIN_CODES, REFUSED, type RefusalEvent } from '../refusal-event.ts';
import { Counter, type Family, Histogram, type Labels } from './families.ts';

/** The running counts. */
export interface CallCounts {
  readonly families: readonly Family[];
  /** Stops counting. */
  close(): void;
}

/** The bounds of the buckets: those of the conventions, and finer ones below, as most calls take less than a millisecond. Seconds. */
const BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120,
  300,
];

/** The outcomes of calls that a limit has refused. */
const LIMITS = new Set(['call_limit', 'too_many_calls']);

/** Starts counting. Only with `byUser`, calls are also counted by user id. */
export function countCalls({ byUser }: { readonly byUser: boolean }): CallCounts {
  const durations = new Histogram({
    name: 'mcp_server_operation_duration_seconds',
    help: 'How long calls took, by method, tool, transport and error.',
    bounds: BOUNDS,
  });
  const ofUsers = new Counter({
    name: 'mcp_server_user_operations_total',
    help: 'Calls by user and error.',
  });
  const limited = new Counter({
    name: 'mcp_server_limited_calls_total',
    help: 'Calls that were refused because of a limit.',
  });
  const logins = new Counter({
    name: 'mcp_server_refused_logins_total',
    help: 'Credentials that were refused, by reason.',
  });

  const hearCall = (message: unknown): void => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- what that channel carries
    const event = message as CallEvent;
    const { method, transport, outcome = '', durationMs = 0, userId } = event;
    // Several outcomes may have the same label, and most names have none: calls with the same labels must be one series.
    const error = errorOf(outcome);
    const key = `${method}\n${nameOf(event)}\n${transport}\n${error}`;
    durations.observe(key, durationMs / 1000, () => labelsOf(event));
    if (LIMITS.has(outcome)) limited.add(outcome, () => ({ limit: outcome }));
    if (byUser) ofUsers.add(`${userId}\n${error}`, () => ({ user_id: userId, error_type: error }));
  };
  const hearRefusal = (message: unknown): void => {
    // oxlint-disable-next-line no-unsafe-type-assertion -- what that channel carries
    const { code, reason = code } = message as RefusalEvent;
    if (LOGIN_CODES.has(code)) logins.add(reason, () => ({ reason }));
    if (code === 'call_limit') limited.add('runaway', () => ({ limit: 'runaway' }));
  };
  subscribe(CALL_ENDED, hearCall);
  subscribe(REFUSED, hearRefusal);
  return {
    families: [durations, ...(byUser ? [ofUsers] : []), limited, logins],
    close() {
      unsubscribe(CALL_ENDED, hearCall);
      unsubscribe(REFUSED, hearRefusal);
    },
  };
}

/** The name of a tool or a prompt, which is a label; empty for resources, of which there may be any number. */
function nameOf({ kind, name }: CallEvent): string {
  return kind === 'tool' || kind === 'prompt' ? name : '';
}

/** The labels of a call. */
function labelsOf({ method, kind, name, transport, outcome = '' }: CallEvent): Labels {
  return {
    mcp_method_name: method,
    gen_ai_tool_name: kind === 'tool' ? name : '',
    gen_ai_prompt_name: kind === 'prompt' ? name : '',
    mcp_transport: transport,
    error_type: errorOf(outcome),
  };
}

/** The label `error_type` of an outcome; empty if it is no error. */
function errorOf(outcome: string): string {
  return GOOD_OUTCOMES.has(outcome) ? '' : outcome;
}
