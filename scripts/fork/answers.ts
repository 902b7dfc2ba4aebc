/** What `npm run init` must know, and what it takes for an answer. */
import { PUBLIC_ADDRESS } from '../../src/config/value-types.ts';
import { CommandError, EXIT } from '../token/command-error.ts';
import { objectionTo } from '../token/server-url.ts';

/** The example tools by the words of `--keep`: the name of the file, and of the constant in it. */
export const EXAMPLES = {
  greeting: { file: 'get-greeting', constant: 'getGreeting' },
  echo: { file: 'echo-message', constant: 'echoMessage' },
  whoami: { file: 'whoami', constant: 'whoami' },
} as const;

/** One of {@link EXAMPLES}. */
export type Example = keyof typeof EXAMPLES;

/** Every word of `--keep`. */
export const EXAMPLE_NAMES = Object.freeze(['greeting', 'echo', 'whoami'] as const satisfies Example[]);

/** What a fork is to be. */
export interface Answers {
  readonly name: string;
  readonly title: string;
  /** Where it will run, where that is known. */
  readonly address: string | undefined;
  readonly keep: readonly Example[];
}

/**
 * A name that is one for npm and for every client, which take it as their key.
 * @throws {CommandError} when it is none
 */
export function parseName(text: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(text) && text !== 'node_modules') return text;
  return refuse(
    'The name must be 1 to 64 lower-case letters, digits, - and _, and begin with a letter or digit: my-server.',
  );
}

/**
 * A title for people.
 * @throws {CommandError} when it is none
 */
export function parseTitle(text: string): string {
  if (/^[^\p{Cc}\p{Zl}\p{Zp}]{1,80}$/u.test(text) && text.trim() === text && text !== '') return text;
  return refuse('The title must be one line of at most 80 characters: My server.');
}

/**
 * The address of the server; undefined for an empty one.
 * @throws {CommandError} when it is something else
 */
export function parseAddress(text: string): string | undefined {
  if (text === '') return undefined;
  const parsed = PUBLIC_ADDRESS.safeParse(text);
  if (parsed.success) return parsed.data;
  return refuse(
    `The address ${objectionTo(text) ?? 'must be a URL such as https://my-app.example or https://my-app.example/mcp-app'}.`,
  );
}

/**
 * The example tools that stay.
 * @throws {CommandError} when one of them is unknown
 */
export function parseKeep(text: string): readonly Example[] {
  if (text === 'all') return EXAMPLE_NAMES;
  if (text === 'none') return [];
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.filter((word) => !EXAMPLE_NAMES.some((name) => name === word));
  if (unknown.length > 0) return refuse(`To keep are: ${EXAMPLE_NAMES.join(', ')}; or all, or none.`);
  return EXAMPLE_NAMES.filter((name) => words.includes(name));
}

/** A name made of what is there, such as the name of a folder. */
export function suggestName(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[-_]+|-+$/g, '')
    .slice(0, 64);
  return name === '' || name === 'node_modules' ? 'my-server' : name;
}

/** The title that a name suggests: `my-server` → `My server`. */
export function suggestTitle(name: string): string {
  const words = name.replaceAll(/[-_]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Refuses an answer. */
function refuse(message: string): never {
  throw new CommandError(EXIT.usage, message);
}
