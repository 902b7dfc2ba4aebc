/** Links that hand a configuration to a client by a click. They are in pieces, so that a browser can put in the token before it encodes. */
import { plainEntry, vsCodeEntry } from './config-files.ts';
import { type ConnectTarget, headersOf, mcpUrlOf } from './target.ts';

/** A piece of a link: as it is, percent-encoded, or as Base64 of its UTF-8 bytes, percent-encoded. */
export interface LinkPiece {
  readonly text: string;
  readonly as: 'is' | 'percent' | 'base64';
}

/** A link in pieces. The page's script joins them in the same way: public/one-click.js. */
export type Link = readonly LinkPiece[];

/** Joins the pieces of a link. */
export function spellLink(pieces: Link): string {
  return pieces
    .map(({ text, as }) => {
      if (as === 'is') return text;
      return encodeURIComponent(as === 'percent' ? text : toBase64(text));
    })
    .join('');
}

/** Cursor's deeplink. */
export function cursorLink(target: ConnectTarget): Link {
  return link(
    'cursor://anysphere.cursor-deeplink/mcp/install?name=',
    target.name,
    '&config=',
    base64(plainEntry(target)),
  );
}

/** The same by https, over Cursor's own site, for texts in which other schemes are not allowed. */
export function cursorWebLink(target: ConnectTarget): Link {
  return link('https://cursor.com/install-mcp?name=', target.name, '&config=', base64(plainEntry(target)));
}

/** VS Code's link. VS Code asks for the token itself. */
export function vsCodeLink(target: ConnectTarget): Link {
  return link('vscode:mcp/install?', JSON.stringify(vsCodeEntry(target)));
}

/** The same for its Insiders edition. */
export function vsCodeInsidersLink(target: ConnectTarget): Link {
  return link('vscode-insiders:mcp/install?', JSON.stringify(vsCodeEntry(target)));
}

/** The same by https for texts, over Microsoft's site, which takes inputs and entry apart. */
export function vsCodeWebLink(target: ConnectTarget): Link {
  return overMicrosoft('https://vscode.dev/redirect/mcp/install?name=', target);
}

/** The same for its Insiders edition. */
export function vsCodeInsidersWebLink(target: ConnectTarget): Link {
  const redirect = overMicrosoft('https://insiders.vscode.dev/redirect/mcp/install?name=', target);
  return [...redirect, { text: '&quality=insiders', as: 'is' }];
}

/** Makes a link over Microsoft's site. */
function overMicrosoft(head: string, target: ConnectTarget): Link {
  const { name, inputs, ...config } = { inputs: undefined, name: target.name, ...vsCodeEntry(target) };
  const asked = inputs === undefined ? [] : ['&inputs=', JSON.stringify(inputs)];
  return link(head, name, ...asked, '&config=', JSON.stringify(config));
}

/** LM Studio's deeplink. */
export function lmStudioLink(target: ConnectTarget): Link {
  return link('lmstudio://add_mcp?name=', target.name, '&config=', base64(plainEntry(target)));
}

/** The same by https for texts, over the site of its maker. */
export function lmStudioWebLink(target: ConnectTarget): Link {
  return link('https://lmstudio.ai/install-mcp?name=', target.name, '&config=', base64(plainEntry(target)));
}

/** Goose's deeplink. A header is written as its name, `=` and its value. */
export function gooseLink(target: ConnectTarget): Link {
  const { headers } = headersOf(target);
  return link(
    'goose://extension?type=streamable_http&url=',
    mcpUrlOf(target),
    '&id=',
    target.name,
    '&name=',
    target.name,
    '&description=',
    `The MCP server at ${target.origin}`,
    ...(headers ? ['&header=', `Authorization=${headers.Authorization}`] : []),
  );
}

/** Claude's dialog for a connector, with name and address filled in. A link cannot contain the header. */
export function claudeConnectorLink(target: ConnectTarget): Link {
  return link(
    'https://claude.ai/settings/connectors?modal=add-custom-connector&connectorName=',
    target.name,
    '&connectorUrl=',
    mcpUrlOf(target),
  );
}

/** Makes a link of pieces. Texts alternate: the first stays as it is, the next is percent-encoded, and so on. */
function link(...pieces: readonly (string | LinkPiece)[]): Link {
  return pieces.map((piece, index) =>
    typeof piece === 'string' ? { text: piece, as: index % 2 === 0 ? 'is' : 'percent' } : piece,
  );
}

/** An entry as a piece in Base64. */
function base64(entry: object): LinkPiece {
  return { text: JSON.stringify(entry), as: 'base64' };
}

/** Base64 of a text's UTF-8 bytes, as browsers can make it too. */
function toBase64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCodePoint(byte)).join(''));
}
