/**
 * Makes text that somebody else wrote safe for a terminal: what could move the cursor, change colours or turn letters round is replaced or escaped.
 */

/** Control characters, formatting characters (such as directional marks), and separators of lines and paragraphs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text without such characters, as most is: this test is many times faster. */
const USUAL = /^[\x20-\x7e\n]*$/;

/** Replaces each such character in text for people, such as words and tables. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, '\u{fffd}');
}

/** A value as JSON on several lines. Each such character in its strings is escaped, which does not change the meaning. */
export function printableJson(value: unknown): string {
  return escapeUnprintable(JSON.stringify(value, null, 2));
}

/** Escapes those characters in the text of JSON, which does not change its meaning. A line feed stays: it can only stand between tokens. */
export function escapeUnprintable(json: string): string {
  if (USUAL.test(json)) return json;
  return json.replaceAll(UNPRINTABLE, (character) => {
    if (character === '\n') return character;
    const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
    return units.map((unit) => String.raw`\u${hex(unit)}`).join('');
  });
}

/** Replaces those characters in the text of JSON, even where they are escaped: for programs that show its strings unescaped. */
export function withoutUnprintable(json: string): string {
  return escapeUnprintable(json).replaceAll(ESCAPE, (escape, digits: string | undefined) => {
    if (digits === undefined) return escape;
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[\n\t]/.test(character) || printable(character) === character ? escape : String.raw`\ufffd`;
  });
}

/** An escape sequence of JSON. An escaped backslash is matched as a whole, so that it does not begin another sequence. */
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|.)/g;

/** A code unit as four hex digits. */
function hex(code: number): string {
  return code.toString(16).padStart(4, '0');
}
