/** The load generator's checks: what is not the right answer ends a run. */
import { expect, test } from '@jest/globals';
import { messageIn, requireText, WrongAnswerError } from '../../../lab/bench/load/answers.ts';

/** An answer to call 7 that says hello; `change` makes it another one. */
function check(change: { id?: number; text?: string; isError?: boolean }, status = 200): void {
  const { id = 7, text = 'hello', ...rest } = change;
  const json = JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }], ...rest } });
  requireText(messageIn({ status, head: 'HTTP/1.1 200 OK\r\n\r\n', text: json }), 7, 'hello');
}

test('accepts the right answer, as JSON and as an event', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';
  const data = '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"hello"}]}}';
  const event = messageIn({ status: 200, head, text: `: hi\n\nevent: message\ndata: ${data}\n\n` });

  expect(() => check({})).not.toThrow();
  expect(() => requireText(event, 7, 'hello')).not.toThrow();
});

test.each([
  ["another call's id", { id: 8 }, 200],
  ['another text', { text: 'goodbye' }, 200],
  ['a tool error', { isError: true }, 200],
  ['another status', {}, 500],
])('refuses %s', (_name, change, status) => {
  expect(() => check(change, status)).toThrow(WrongAnswerError);
});
