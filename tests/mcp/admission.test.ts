/** Admission of calls: a refused call takes neither a place nor a part of the minute. */
import { expect, test } from '@jest/globals';
import { createUserContext } from '../../src/auth/user.ts';
import { admit } from '../../src/mcp/admission.ts';
import { CallLimit } from '../../src/mcp/call-limit.ts';
import type { Caller } from '../../src/mcp/caller.ts';
import { InFlight } from '../../src/mcp/in-flight.ts';

const user = createUserContext({ userId: 'ada' });
const caller: Caller = { user, grant: { user }, transport: 'sse', requestId: '1' };
const request = { kind: 'tool', name: 'wait', cost: 1 };

test('a call that is refused for calls in flight does not count towards the limit per minute', () => {
  const admission = { callLimit: new CallLimit({ perMinute: 4, now: () => 0 }), inFlight: new InFlight(1) };
  const ask = () => admit(request, caller, admission)?.outcome;

  const outcomes = [ask(), ...Array.from({ length: 20 }, ask)];
  admission.inFlight.givePlaceBack('ada');
  outcomes.push(ask());

  expect(new Set(outcomes.slice(1, -1))).toEqual(new Set(['too_many_calls']));
  expect([outcomes.at(0), outcomes.at(-1)]).toEqual([undefined, undefined]);
});

test('a call that is refused for the limit per minute takes no place among the calls in flight', () => {
  const admission = { callLimit: new CallLimit({ perMinute: 2, now: () => 0 }), inFlight: new InFlight(2) };

  const outcomes = Array.from({ length: 4 }, () => admit(request, caller, admission)?.outcome);

  expect(outcomes).toEqual([undefined, 'call_limit', 'call_limit', 'call_limit']);
  expect(admission.inFlight.calls).toBe(1);
});
