/** Shows a tool's result, or a content block. Everything in it becomes text, or an image or a sound from a data: URL. */
import { element, shorten } from './element.js';
import { asObject, parseObject } from './mcp-messages.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/**
 * Shows a result: its structured content if it has some, else its content blocks.
 *
 * @param {Json} result of `tools/call`
 * @returns {HTMLElement[]}
 */
export function showResult({ structuredContent, content, resultType }) {
  if (resultType !== undefined && resultType !== 'complete') {
    const words = `The tool answered with ${JSON.stringify(resultType)}, which this page cannot continue. The messages below show it.`;
    return [element('p', {}, words)];
  }
  const blocks = (Array.isArray(content) ? content : []).map((block) => asObject(block) ?? {});
  // With structured content, text blocks only repeat it.
  const isStructured = structuredContent !== undefined;
  const shown = blocks.filter(({ type }) => !isStructured || type !== 'text').map(showBlock);
  if (isStructured) shown.unshift(showText(JSON.stringify(structuredContent, null, 2)));
  return shown.length > 0 ? shown : [element('p', { class: 'aside' }, 'The result is empty.')];
}

/**
 * Shows one content block.
 *
 * @param {Json} block
 * @returns {HTMLElement}
 */
export function showBlock(block) {
  const { type, text, data, mimeType } = block;
  if (type === 'text' && typeof text === 'string') return showText(indentJson(text));
  if (typeof data === 'string' && typeof mimeType === 'string') {
    const source = `data:${mimeType};base64,${data}`;
    // Inside these elements no script of an SVG runs, and nothing is fetched.
    if (type === 'image' && mimeType.startsWith('image/'))
      return element('img', { src: source, alt: `Image from the tool (${mimeType})` });
    if (type === 'audio' && mimeType.startsWith('audio/'))
      return element('audio', { src: source, controls: true });
  }
  return showText(JSON.stringify(block, null, 2));
}

/**
 * Shows text as it is.
 *
 * @param {string} text
 */
function showText(text) {
  return element('pre', { tabindex: 0, role: 'group', 'aria-label': 'Text' }, shorten(text));
}

/**
 * Indents a text that is a JSON object; returns any other as it is.
 *
 * @param {string} text
 */
export function indentJson(text) {
  const object = text.startsWith('{') ? parseObject(text) : undefined;
  return object === undefined ? text : JSON.stringify(object, null, 2);
}
