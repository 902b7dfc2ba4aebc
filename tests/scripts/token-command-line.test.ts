/** The command line of `npm run token`: what it means, and how its mistakes are named without repeating a secret. */
import { describe, expect, test } from '@jest/globals';
import { CommandError } from '../../scripts/token/command-error.ts';
import { parseCommandLine } from '../../scripts/token/command-line.ts';
import { COMMAND_NAMES } from '../../scripts/token/words.mjs';

/** The failure of a command line that must not be accepted. */
function failureOf(args: readonly string[]): CommandError {
  try {
    parseCommandLine(args);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error('The command line was accepted.');
}

test('a command has its id, its options and its switches', () => {
  expect(parseCommandLine(['rotate', '--overlap', '2h', '12345678', '--json', '--file=t.json'])).toEqual({
    command: 'rotate',
    argument: '12345678',
    json: true,
    values: { overlap: '2h', file: 't.json' },
  });
});

describe('a token on it', () => {
  const secret = `mcp_${'x'.repeat(43)}`;

  test.each([
    ['check', [secret]],
    ['check', ['some-other-token']],
    ['check', ['--token', 'some-other-token']],
    ['check', ['--token=some-other-token']],
    ['create', ['--user', 'ada', secret]],
    ['revoke', [secret]],
    ['list', [`--note=${secret}`]],
    [secret, []],
  ])('is refused with the reason and not repeated: %s %j', (command, args) => {
    const { message, exitCode } = failureOf([command, ...args]);

    expect(exitCode).toBe(2);
    expect(message).toContain('never taken from the command line');
    expect(message).not.toMatch(/mcp_x|some-other/);
  });
});

test.each([
  ['no command', [], 'create --user USER'],
  ['a command that is none', ['make'], 'There is no such command.'],
  ['an option that is none', ['list', '--all'], 'list has no option --all.'],
  ['an option of another command', ['list', '--user', 'ada'], 'list has no option --user.'],
  ['an option without its value', ['create', '--user'], '--user needs a value.'],
  ['a switch with a value', ['list', '--json=hush'], '--json takes no value.'],
  [
    'an option that is there twice',
    ['create', '--user=ada', '--user', 'hush'],
    '--user is given twice; give it once.',
  ],
  ['two ids', ['revoke', '12345678', 'hush'], 'revoke has too many arguments.'],
  ['an id where none belongs', ['list', 'hush'], 'list has too many arguments.'],
  ['an option that could be a secret', ['list', '--HuSh-hush'], 'list has no option like that.'],
])('%s is refused with what is wrong and the help', (_, args, words) => {
  const { message, exitCode } = failureOf(args);

  expect(exitCode).toBe(2);
  expect(message).toContain(words);
  expect(message).toContain('--help');
  expect(message).not.toMatch(/hush/i);
});

test.each(COMMAND_NAMES)('%s has a help text of its own, by --help, -h and help', (name) => {
  const texts = [
    [name, '--help'],
    [name, '-h'],
    ['help', name],
    // Whatever else stands there, nothing else is done.
    [name, '--user', '--bogus', 'x', 'y', '--help'],
  ].map((args) => parseCommandLine(args));

  for (const text of texts)
    expect(text).toEqual({ help: expect.stringContaining(`token -- ${name}`) as unknown });
});
