/** The answers that `npm run init` needs, and the rules for each. */
import { PUBLIC_ADDRESS } from '../../src/config/value-types.ts';
import { CommandError, EXIT } from '../token/command-error.ts';
import { objectionTo } from '../token/server-url.ts';

/** The example tools by their name in `--keep`: the name of the file, and of the constant in it. */
export const EXAMPLES = {
  greeting: { file: 'get-greeting', constant: 'getGreeting' },
  echo: { file: 'echo-message', constant: 'echoMessage' },
  whoami: { file: 'whoami', constant: 'whoami' },
} as const;

/** One of {@link EXAMPLES}. */
export type Example = keyof typeof EXAMPLES;

/** Every name that `--keep` accepts. */
export const EXAMPLE_NAMES = Object.freeze(['greeting', 'echo', 'whoami'] as const satisfies Example[]);

/** The answers that describe a fork. */
export interface Answers {
  readonly name: string;
  readonly title: string;
  /** Where it will run; undefined when that is not known. */
  readonly address: string | undefined;
  readonly keep: readonly Example[];
}

/**
 * Parses the name of the server, which must be fit for npm, and for clients, which use it as a key.
 * @throws {CommandError} when it is not fit
 */
export function parseName(text: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,63}$/.test(text) && text !== 'node_modules') return text;
  return refuse(
    'The name must be 1 to 64 lower-case letters, digits, - and _, and begin with a letter or digit: my-server.',
  );
}

/**
 * Parses the title, which is shown to people.
 * @throws {CommandError} when it is not one line of at most 80 characters
 */
export function parseTitle(text: string): string {
  if (/^[^\p{Cc}\p{Zl}\p{Zp}]{1,80}$/u.test(text) && text.trim() === text && text !== '') return text;
  return refuse('The title must be one line of at most 80 characters: My server.');
}

/**
 * Parses the address of the server; undefined for an empty text.
 * @throws {CommandError} when it is anything else
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
 * Parses the list of example tools that stay.
 * @throws {CommandError} when one of them is unknown
 */
export function parseKeep(text: string): readonly Example[] {
  if (text === 'all') return EXAMPLE_NAMES;
  if (text === 'none') return [];
  const words = text.split(',').map((word) => word.trim());
  const unknown = words.filter((word) => !EXAMPLE_NAMES.some((name) => name === word));
  if (unknown.length > 0)
    return refuse(`The tools that can be kept are: ${EXAMPLE_NAMES.join(', ')}; or all, or none.`);
  return EXAMPLE_NAMES.filter((name) => words.includes(name));
}

/** Suggests a name made of a text, such as the name of a folder. */
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

/** Refuses an answer with a message. */
function refuse(message: string): never {
  throw new CommandError(EXIT.usage, message);
}
