/** The two kinds of results that the fixtures use most: a text, and a tool's description of a client's answer. */
import type { CallToolResult, ElicitRequestFormParams } from '@modelcontextprotocol/server';

/** The schema of a form, as in `elicitation/create`. */
export type FormSchema = ElicitRequestFormParams['requestedSchema'];

/** Makes a tool's result of one text. */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}

/** The text of a sampling result, whose content is one block or several. */
export function samplingText(content: unknown): string {
  const blocks: unknown[] = Array.isArray(content) ? content : [content];
  return blocks.flatMap((block) => (isText(block) ? [block.text] : [])).join('\n');
}

/** Whether a content block is a text. A client's data is checked, not trusted. */
function isText(block: unknown): block is { text: string } {
  return typeof block === 'object' && block !== null && 'text' in block && typeof block.text === 'string';
}
