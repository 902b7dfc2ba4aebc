/** Links that a click hands to a client, as pieces: where a piece holds a token, a browser puts it in before it encodes. */
import { plainEntry, vsCodeEntry } from './config-files.ts';
import { type ConnectTarget, headersOf, mcpUrlOf } from './target.ts';

/** A piece of a link: as it stands, percent-encoded, or in Base64 of UTF-8 and then percent-encoded. */
export interface LinkPiece {
  readonly text: string;
  readonly as: 'is' | 'percent' | 'base64';
}

/** A link that is not spelled yet. The page's script spells it likewise: public/one-click.js. */
export type Link = readonly LinkPiece[];

/** The link as text. */
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

/** The same for texts in which no other scheme may stand; it leads over Cursor's own site. */
export function cursorWebLink(target: ConnectTarget): Link {
  return link('https://cursor.com/install-mcp?name=', target.name, '&config=', base64(plainEntry(target)));
}

/** VS Code's link. The entry asks for the token itself. */
export function vsCodeLink(target: ConnectTarget): Link {
  return link('vscode:mcp/install?', JSON.stringify(vsCodeEntry(target)));
}

/** The same for its Insiders edition. */
export function vsCodeInsidersLink(target: ConnectTarget): Link {
  return link('vscode-insiders:mcp/install?', JSON.stringify(vsCodeEntry(target)));
}

/** The same for texts; it leads over Microsoft's site, which wants inputs and entry apart. */
export function vsCodeWebLink(target: ConnectTarget): Link {
  return overMicrosoft('https://vscode.dev/redirect/mcp/install?name=', target);
}

/** The same for its Insiders edition. */
export function vsCodeInsidersWebLink(target: ConnectTarget): Link {
  const redirect = overMicrosoft('https://insiders.vscode.dev/redirect/mcp/install?name=', target);
  return [...redirect, { text: '&quality=insiders', as: 'is' }];
}

/** The parts of a link over Microsoft's site. */
function overMicrosoft(head: string, target: ConnectTarget): Link {
  const { name, inputs, ...config } = { inputs: undefined, name: target.name, ...vsCodeEntry(target) };
  const asked = inputs === undefined ? [] : ['&inputs=', JSON.stringify(inputs)];
  return link(head, name, ...asked, '&config=', JSON.stringify(config));
}

/** LM Studio's deeplink. */
export function lmStudioLink(target: ConnectTarget): Link {
  return link('lmstudio://add_mcp?name=', target.name, '&config=', base64(plainEntry(target)));
}

/** The same for texts; it leads over its maker's site. */
export function lmStudioWebLink(target: ConnectTarget): Link {
  return link('https://lmstudio.ai/install-mcp?name=', target.name, '&config=', base64(plainEntry(target)));
}

/** Goose's deeplink. A header is its name, `=` and its value. */
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

/** Claude's dialog for a connector, with name and address filled in. A link cannot carry the header. */
export function claudeConnectorLink(target: ConnectTarget): Link {
  return link(
    'https://claude.ai/settings/connectors?modal=add-custom-connector&connectorName=',
    target.name,
    '&connectorUrl=',
    mcpUrlOf(target),
  );
}

/** Pieces in turn: one that stands as it is, one that is encoded, and so on. */
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
