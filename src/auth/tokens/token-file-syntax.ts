/** Reads the JSON of a token file property by property: JSON.parse would lose duplicate keys, and the order of keys that look like numbers. */
import {
  createScanner,
  type JSONScanner,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { TokenFileError } from './token-file-error.ts';

/** One property of the file's object, and where it stands in the text. */
export interface FileProperty {
  readonly key: string;
  readonly value: unknown;
  /** The first field that the value has twice, if there is one: JSON.parse has kept only the last of its values. */
  readonly repeated: string | undefined;
  /** The offset of the key. */
  readonly start: number;
  readonly valueStart: number;
  /** The offset behind the value. */
  readonly end: number;
}

/**
 * Yields the properties of the file's object. Each is parsed when the caller asks for it.
 * @throws {TokenFileError} naming the line and the column of a syntax error
 */
export function* propertiesOf(text: string): Generator<FileProperty, void> {
  const scanner = createScanner(text, false);
  if (nextToken(scanner) !== TOKEN.openBrace) throw syntaxErrorOf(text);
  let token = nextToken(scanner);
  while (token === TOKEN.string) {
    const start = scanner.getTokenOffset();
    const key = scanner.getTokenValue();
    // oxlint-disable-next-line no-unsafe-enum-comparison -- 0 of a const enum, which single files cannot read: nothing is wrong
    if (scanner.getTokenError() !== 0 || nextToken(scanner) !== TOKEN.colon) throw syntaxErrorOf(text);
    const { valueStart, repeated } = skipValue(scanner, text);
    const end = scanner.getTokenOffset() + scanner.getTokenLength();
    yield { key, value: parseValue(text, valueStart, end), repeated, start, valueStart, end };
    token = nextToken(scanner);
    if (token !== TOKEN.comma) break;
    token = nextToken(scanner);
    // Behind a comma there must be another property.
    if (token !== TOKEN.string) throw syntaxErrorOf(text);
  }
  if (token !== TOKEN.closeBrace || nextToken(scanner) !== TOKEN.end) throw syntaxErrorOf(text);
}

/** Parses one value by JSON.parse, which is many times faster than a parser that keeps positions. */
function parseValue(text: string, start: number, end: number): unknown {
  try {
    // `__proto__` becomes an own property here.
    return JSON.parse(text.slice(start, end));
  } catch {
    throw syntaxErrorOf(text);
  }
}

const STRICT_JSON = { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false };

/** The numbers of the scanner's `SyntaxKind`, which is a const enum: files that are compiled one by one cannot read it. */
const TOKEN = {
  openBrace: 1,
  closeBrace: 2,
  openBracket: 3,
  closeBracket: 4,
  comma: 5,
  colon: 6,
  string: 10,
  lineBreak: 14,
  space: 15,
  end: 17,
} as const;

/** The next token that is not white space. A comment is a token as well, and has no valid place. */
function nextToken(scanner: JSONScanner): number {
  let token: number;
  do token = scanner.scan();
  while (token === TOKEN.space || token === TOKEN.lineBreak);
  return token;
}

/** The deepest nesting. Nothing sensible needs more, and the code that parses and walks the values recurses. */
const MAX_DEPTH = 100;

/** The refusal of a text that is nested deeper. */
function tooDeep(): TokenFileError {
  return new TokenFileError(`is nested deeper than ${MAX_DEPTH} levels`);
}

/** Moves a scanner from a colon to the last token of the value behind it. Returns where the value starts, and a field that it has twice. */
function skipValue(scanner: JSONScanner, text: string) {
  let depth = 0;
  let valueStart: number | undefined;
  let repeated: string | undefined;
  let word = '';
  const names: string[] = [];
  do {
    const token = nextToken(scanner);
    valueStart ??= scanner.getTokenOffset();
    if (token === TOKEN.end) throw syntaxErrorOf(text);
    if (depth > MAX_DEPTH) throw tooDeep();
    if (token === TOKEN.openBrace || token === TOKEN.openBracket) depth += 1;
    if (token === TOKEN.closeBrace || token === TOKEN.closeBracket) depth -= 1;
    if (depth === 1 && token === TOKEN.string) word = scanner.getTokenValue();
    if (depth === 1 && token === TOKEN.colon) {
      if (names.includes(word)) repeated ??= word;
      // Entries have a handful of fields; one with more is refused because of those.
      if (names.length < MAX_FIELDS) names.push(word);
    }
  } while (depth > 0);
  return { valueStart, repeated };
}

/** How many field names of a value are compared with each other. */
const MAX_FIELDS = 100;

/** The error for a text that is no JSON object: what is wrong, and where. */
function syntaxErrorOf(text: string): TokenFileError {
  const errors: ParseError[] = [];
  try {
    parseTree(text, errors, STRICT_JSON);
  } catch {
    // The parser recurses, and has no other reason to throw.
    return tooDeep();
  }
  const [first] = errors;
  return first === undefined
    ? new TokenFileError('must be a JSON object whose keys are tokens or "sha256:" digests')
    : new TokenFileError(
        `not valid JSON ${placeOf(text, first.offset)} (${printParseErrorCode(first.error)})`,
      );
}

/** Where an offset lies in the text, for a person with an editor. */
function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
