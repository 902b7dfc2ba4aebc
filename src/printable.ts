/** Text that somebody else wrote, for a terminal: what could move its cursor, change its colours or turn its letters round is not let through. */

/** Control characters, formatting characters such as those that turn the direction, and separators of lines. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Most text has none, and this is told many times faster. */
const USUAL = /^[\x20-\x7e\n]*$/;

/** Text in words and tables: each such character is replaced. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, '\u{fffd}');
}

/** JSON, which means the same: each such character in its strings is escaped. */
export function printableJson(value: unknown): string {
  return escapeUnprintable(JSON.stringify(value, null, 2));
}

/** The text of JSON with those characters escaped, which means the same; a line break stands between its tokens only. */
export function escapeUnprintable(json: string): string {
  if (USUAL.test(json)) return json;
  return json.replaceAll(UNPRINTABLE, (character) => {
    if (character === '\n') return character;
    const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index));
    return units.map((unit) => String.raw`\u${hex(unit)}`).join('');
  });
}

/** The text of JSON without those characters, escaped ones neither: for what shows its strings as they are. */
export function withoutUnprintable(json: string): string {
  return escapeUnprintable(json).replaceAll(ESCAPE, (escape, digits: string | undefined) => {
    if (digits === undefined) return escape;
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[\n\t]/.test(character) || printable(character) === character ? escape : String.raw`\ufffd`;
  });
}

/** An escape of JSON; a backslash that is escaped itself is one of its own. */
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|.)/g;

/** Four hex digits. */
function hex(code: number): string {
  return code.toString(16).padStart(4, '0');
}
