/** Fills in the page's template: `{{name}}`, and `{{#name}}…{{/name}}` for what may be absent or there several times. */

/** What a template is filled with; a list repeats its section with each entry's values. */
export interface TemplateValues {
  readonly [name: string]: string | boolean | readonly TemplateValues[];
}

/**
 * Fills in a template; values are escaped for text and for attributes in double quotes.
 * @throws when the template names a value that is not given
 */
export function fillTemplate(template: string, values: TemplateValues): string {
  // One pass: braces in a value that has been put in stay what they are.
  return template.replaceAll(PLACE, (_place, section?: string, inner?: string, name?: string) => {
    const value = values[section ?? name ?? ''];
    if (inner === undefined && typeof value === 'string') return escapeHtml(value);
    if (inner !== undefined && typeof value === 'boolean') return value ? fillTemplate(inner, values) : '';
    if (inner !== undefined && Array.isArray(value)) {
      return value.map((entry: TemplateValues) => fillTemplate(inner, { ...values, ...entry })).join('');
    }
    throw new Error(`The page's template asks for ${section ?? name}, which is not given.`);
  });
}

const PLACE = /\{\{#(\w+)\}\}([\s\S]*?)\{\{\/\1\}\}|\{\{(\w+)\}\}/g;

/** Text as HTML. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
