/** The tool `echo_message`. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { echoMessage } from '../../src/tools/echo-message.ts';
import { anyCharacter } from '../support/any-character.ts';
import { createToolContext } from '../support/tool-context.ts';

describe('echo_message', () => {
  test('returns any message unchanged, behind the name of the user', async () => {
    const message = fc.oneof(
      fc.string({ minLength: 1, unit: anyCharacter }),
      fc.constant('\u0000\uFEFF\r\n\u2028 '),
    );

    await fc.assert(
      fc.asyncProperty(message, async (sent) => {
        const input = echoMessage.input.parse({ message: sent });

        expect(await echoMessage.run(input, createToolContext())).toBe(`Ada Lovelace: ${sent}`);
      }),
    );
  });

  test.each([1, 1_048_576, 3_000_000])('takes a message of %d characters', async (length) => {
    const input = echoMessage.input.parse({ message: 'x'.repeat(length) });

    expect(await echoMessage.run(input, createToolContext())).toBe(
      `Ada Lovelace: ${input['message'] as string}`,
    );
  });

  test.each([{}, { message: '' }, { message: 5 }, { message: null }, { message: ['x'] }])(
    'refuses %j',
    (input) => {
      expect(echoMessage.input.safeParse(input).success).toBe(false);
    },
  );

  test('needs the scope "echo"', () => {
    expect(echoMessage.scope).toBe('echo');
  });
});
