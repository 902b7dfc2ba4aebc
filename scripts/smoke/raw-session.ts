/** Opens sessions whose requests the checks write themselves, where a request must differ from a client's in one thing. */
import { z } from 'zod';
import { ask, requireJson, type Target, unexpected } from './http.ts';
import { CheckFailure } from './outcome.ts';
import type { Passed } from './steps.ts';

/** An open session. */
export interface RawSession extends Passed {
  /** The headers that name the session and its revision. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the session at the server; does nothing when it is gone already. */
  end(): Promise<void>;
}

/** The revision that these sessions speak. */
const REVISION = '2025-06-18';
const CLIENT = { name: 'smoke-test', version: '1.0.0' };
const INITIALIZED = z.looseObject({
  result: z.looseObject({ protocolVersion: z.string(), serverInfo: z.looseObject({ name: z.string() }) }),
});

/** A request that changes nothing. */
export const PING = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** Opens a session, and completes the handshake. */
export async function openRawSession(target: Target): Promise<RawSession> {
  const session = await beginRawSession(target);
  const { headers } = session;
  const told = { jsonrpc: '2.0', method: 'notifications/initialized' };
  const answer = await ask(target, '/mcp', { token: target.token, headers, body: told });
  if (answer.status !== 202) throw unexpected(answer, '202 to a notification');
  return session;
}

/** Opens a session with `initialize` alone. */
export async function beginRawSession(target: Target): Promise<RawSession> {
  const { token } = target;
  const params = { protocolVersion: REVISION, capabilities: {}, clientInfo: CLIENT };
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
  const opened = await ask(target, '/mcp', { token, body });
  const { result } = requireJson(opened, [200], INITIALIZED);
  const id = opened.headers.get('mcp-session-id');
  if (id === null) throw noSessionId();
  const headers = { 'Mcp-Session-Id': id, 'Mcp-Protocol-Version': result.protocolVersion };
  return {
    detail: `with ${result.serverInfo.name}, revision ${result.protocolVersion}`,
    headers,
    end: async () =>
      void (await ask(target, '/mcp', { method: 'DELETE', token, headers }).catch(() => undefined)),
  };
}

/** The failure of an answer that has no session id. */
export function noSessionId(): CheckFailure {
  const advice = 'A proxy may remove the header Mcp-Session-Id from answers: let it through.';
  return new CheckFailure('initialize was answered without a session id.', advice);
}
