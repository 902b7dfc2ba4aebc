/** The names of a server's own requests: its answers come back as it counts them, those to others not at all. */
import { expect, test } from '@jest/globals';
import { askerOf, createRequestNames } from '../../src/mcp/own-requests.ts';

const request = { jsonrpc: '2.0', id: 0, method: 'elicitation/create', params: { message: '?' } } as const;

test('a request goes out under a name of its process, and its answer comes back under its number', () => {
  const names = createRequestNames('here');

  const out = names.name(request);
  const id = 'id' in out ? String(out.id) : '';
  const answer = { jsonrpc: '2.0', id, result: {} } as const;

  expect(out).toEqual({ ...request, id: expect.stringMatching(/^here\.[\w-]+\.0$/) });
  expect(names.unname(answer)).toEqual({ ...answer, id: 0 });
  expect(askerOf(answer)).toBe('here');
});

test('an answer to another server, another process, or to a bare number is none', () => {
  const names = createRequestNames('here');
  const others = [
    createRequestNames('here').name(request),
    createRequestNames('there').name(request),
    request,
  ];

  const answers = others.map(
    (other) => ({ jsonrpc: '2.0', id: 'id' in other ? (other.id ?? '') : '', result: {} }) as const,
  );

  expect(answers.map((answer) => names.unname(answer))).toEqual([undefined, undefined, undefined]);
  expect(answers.map(askerOf)).toEqual(['here', 'there', undefined]);
});

test('what it cancels is called as it was asked, and everything else passes as it is', () => {
  const names = createRequestNames('here');
  const out = names.name(request);
  const id = 'id' in out ? out.id : undefined;
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 0 } } as const;
  const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } } as const;

  expect(names.name(cancel)).toMatchObject({ params: { requestId: id } });
  expect([names.name(progress), names.unname(progress), names.unname({ ...request, id: 7 })]).toEqual([
    progress,
    progress,
    { ...request, id: 7 },
  ]);
  expect(askerOf(progress)).toBeUndefined();
});
