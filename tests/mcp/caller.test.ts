/** The caller of a request: how it passes through the SDK, and that it carries no token. */
import { expect, test } from '@jest/globals';
import type { ServerContext } from '@modelcontextprotocol/server';
import { callerOf, toAuthInfo } from '../../src/mcp/caller.ts';
import { createCaller } from '../support/in-memory-mcp.ts';

const ADA = createCaller({ userId: 'ada', scopes: ['greet'] }, 'request-1');
const BOB = createCaller({ userId: 'bob' }, 'request-2');

/** The part of a handler's context that names the caller. */
function contextWith(authInfo: ReturnType<typeof toAuthInfo> | undefined): ServerContext {
  return { http: { authInfo }, mcpReq: {} } as unknown as ServerContext;
}

test('the AuthInfo for the SDK names the user and holds no token', () => {
  const authInfo = toAuthInfo(ADA);

  expect(authInfo).toEqual({ token: '', clientId: 'ada', scopes: ['greet'], extra: { caller: ADA } });
});

test('the caller of the request takes precedence over that of the connection', () => {
  expect(callerOf(contextWith(toAuthInfo(ADA)))).toBe(ADA);
  expect(callerOf(contextWith(toAuthInfo(ADA)), () => BOB)).toBe(ADA);
});

test('a request without a caller gets the caller of its connection, made anew for each request', () => {
  let made = 0;
  const ofConnection = () => createCaller({ userId: 'bob' }, `request-${(made += 1)}`);

  const ids = [
    callerOf(contextWith(undefined), ofConnection),
    callerOf(contextWith(undefined), ofConnection),
  ].map(({ requestId }) => requestId);

  expect(ids).toEqual(['request-1', 'request-2']);
});

test('a request without any caller is refused, so that nobody is mistaken for a user', () => {
  expect(() => callerOf({} as ServerContext)).toThrow('without a caller');
});
