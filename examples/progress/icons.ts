/** The icons of the example, as `data:` URIs, which need no server. */
import type { Icon } from '../../src/mcp/content.ts';

/** Makes an icon of one letter in a circle. */
function letter(text: string): readonly Icon[] {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="12" fill="#7a3e00"/><text x="12" y="17" font-size="14" font-family="sans-serif" text-anchor="middle" fill="#fff">${text}</text></svg>`;
  return [{ src: `data:image/svg+xml;base64,${btoa(svg)}`, mimeType: 'image/svg+xml', sizes: ['any'] }];
}

export const PENCIL = letter('E');
export const CHART = letter('P');
export const BOOK = letter('L');
