/** Claude Desktop in the table of clients, by a bundle that this server hands out. */
import type { ConnectClient } from './client.ts';
import { type ConnectTarget, mcpUrlOf } from './target.ts';

/** Where the server hands out its bundle. */
const addressOf = ({ origin }: ConnectTarget): string => `${origin}/connect.mcpb`;

export const claudeDesktopBundle = {
  title: 'Claude Desktop, as an extension',
  where: 'Claude Desktop, by a double-click on the file that this address gives; it asks for your token then',
  form: 'fields',
  note: 'It needs neither Node.js nor a text editor.',
  runsOn: ['windows', 'macos'],
  oneClick: {
    words: 'Add to Claude Desktop',
    link: (target: ConnectTarget) => [{ text: addressOf(target), as: 'is' }],
    next: 'Open the file that is saved, choose "Install", and paste your token.',
  },
  render: addressOf,
  /** The file itself; the command prints it. */
  async makeFile(target: ConnectTarget): Promise<Uint8Array> {
    const { makeBundle } = await import('./bundle/make-bundle.ts');
    const { name, version = '0.1.0', withoutHeader = false } = target;
    return makeBundle({ url: mcpUrlOf(target), name, version, withoutToken: withoutHeader });
  },
} as const satisfies ConnectClient;
