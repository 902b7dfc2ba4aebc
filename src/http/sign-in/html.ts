/** HTML from templates in which every value is text, unless it is HTML that was made here. */

/** A piece of HTML. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A value in a template. */
type Value = string | Html | readonly Html[] | undefined;

/** Makes a piece of HTML; values are escaped for text and for attributes in double quotes. */
export function html(pieces: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(
    pieces.map((piece, index) => (index === 0 ? '' : spell(values[index - 1])) + piece).join(''),
  );
}

/** A value as HTML. */
function spell(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escapeHtml(value);
  return value instanceof Html ? value.text : value.map(({ text }) => text).join('');
}

/** Escapes text for HTML. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
