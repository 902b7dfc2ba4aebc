/** The two results that the fixtures give most: a text, and a tool's description of what a client answered. */
import type { CallToolResult, ElicitRequestFormParams } from '@modelcontextprotocol/server';

/** The schema of a form as `elicitation/create` carries it. */
export type FormSchema = ElicitRequestFormParams['requestedSchema'];

/** A tool's result that is one text. */
export function textResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] };
}

/** The text in a sampling result, whose content is one block or several. */
export function samplingText(content: unknown): string {
  const blocks: unknown[] = Array.isArray(content) ? content : [content];
  return blocks.flatMap((block) => (isText(block) ? [block.text] : [])).join('\n');
}

/** Whether a content block is a text; what a client sends is checked, not trusted. */
function isText(block: unknown): block is { text: string } {
  return typeof block === 'object' && block !== null && 'text' in block && typeof block.text === 'string';
}
