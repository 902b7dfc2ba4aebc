/** The ids of the server's own requests: responses are returned under the number of the request, those to other servers are not. */
import { expect, test } from '@jest/globals';
import { askerOf, createRequestNames } from '../../src/mcp/own-requests.ts';

const request = { jsonrpc: '2.0', id: 0, method: 'elicitation/create', params: { message: '?' } } as const;

test('a request is sent with an id of its process, and its response comes back under the original number', () => {
  const names = createRequestNames('here');

  const out = names.name(request);
  const id = 'id' in out ? String(out.id) : '';
  const answer = { jsonrpc: '2.0', id, result: {} } as const;

  expect(out).toEqual({ ...request, id: expect.stringMatching(/^here\.[\w-]+\.0$/) });
  expect(names.unname(answer)).toEqual({ ...answer, id: 0 });
  expect(askerOf(answer)).toBe('here');
});

test('a response to a request of another server or process, or to a bare number, is not returned', () => {
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

test('a cancellation uses the id of its request, and all other messages stay unchanged', () => {
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
