/** Finds the secrets of a configuration and shows the rest without them; also finds values that no request can carry. */
import { CheckFailure } from '../smoke/outcome.ts';
import type { Way } from './entry.ts';

/** Matches the names of headers, variables and options that hold a credential. */
const CREDENTIAL = /auth|token|key|secret|password/i;

/** Whether a header, a variable or an option holds a credential, by its name. */
export function isCredential(name: string): boolean {
  return CREDENTIAL.test(name);
}

/** The secrets of a way. They are hidden wherever a server, a program or a library repeats them. */
export function secretsOf(way: Way): readonly string[] {
  if (way.kind === 'local') return [...Object.values(way.env), ...secretsAmong(way.args)];
  const values = Object.values(way.headers).map((value) => value.replace(/^[\w-]+\s+/, ''));
  return [...values, ...way.url.searchParams.values()];
}

/** The values of options that hold a credential: `--token VALUE`, `--token=VALUE`. */
function secretsAmong(args: readonly string[]): string[] {
  return args.flatMap((argument, index) => {
    const [, option = '', value] = /^(-[^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (option === '') return [];
    const written = value ?? args[index + 1] ?? '';
    // "Authorization: Bearer …" names itself as a credential.
    if (/^[\w-]+:/.test(written) && isCredential(written)) return [written.replace(/^.*\s/s, '')];
    return isCredential(option) ? [written] : [];
  });
}

/** Shows an address without its query, which may hold a secret. */
export function shownAddress({ origin, pathname, search }: URL): string {
  return `${origin}${pathname}${search === '' ? '' : '?…'}`;
}

/** Shows a command without options and addresses, which it has when somebody has written a whole line there. */
export function shownCommand(command: string): string {
  return command.replace(/\s+(?:-|https?:).*$/is, ' …');
}

/** Characters that get into a text by copying: ranges of code points. */
const COPIED: readonly (readonly [first: number, last: number, what: string])[] = [
  [0x00, 0x1f, 'a control character'],
  [0x7f, 0x7f, 'a control character'],
  [0x200b, 0x200f, 'a character that nobody sees'],
  [0x2010, 0x2015, 'a typographic dash'],
  [0x2018, 0x201f, 'a typographic quote'],
  [0x2026, 0x2026, 'an ellipsis, where something was left out'],
  [0x2060, 0x2060, 'a character that nobody sees'],
  [0xfeff, 0xfeff, 'a character that nobody sees'],
];

/**
 * Checks that headers can be sent at all.
 * @throws {CheckFailure} naming the header and the character; clients would only say that the connection failed, if anything
 */
export function requireSendable(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const inName = /[^!#$%&'*+.^`|~\w-]/u.exec(name)?.[0];
    if (inName !== undefined) throw unsendable('The name of a header', inName);
    // White space around a value is removed when it is sent.
    const inValue = /[^\t\x20-\x7e\x80-\xff]/u.exec(value.replaceAll(/^[\t\r\n ]+|[\t\r\n ]+$/g, ''))?.[0];
    if (inValue !== undefined) throw unsendable(`The header ${name}`, inValue);
  }
}

/** The failure of a header with a character that cannot be sent. */
function unsendable(where: string, character: string): CheckFailure {
  const code = character.codePointAt(0) ?? 0;
  const what = COPIED.find(([first, last]) => code >= first && code <= last)?.[2] ?? 'a character';
  const number = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return new CheckFailure(
    `${where} contains ${what} (${number}), which cannot be sent in a request.`,
    'Clients fail before they send anything. Type that part of the file again, or copy the token again as plain text.',
  );
}
