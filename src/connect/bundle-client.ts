/** Claude Desktop in the table of clients, configured by a bundle that this server serves. */
import type { ConnectClient } from './client.ts';
import { type ConnectTarget, mcpUrlOf } from './target.ts';

/** The address of the server's bundle. */
const addressOf = ({ origin }: ConnectTarget): string => `${origin}/connect.mcpb`;

export const claudeDesktopBundle = {
  title: 'Claude Desktop, as an extension',
  where: 'Claude Desktop, by a double-click on the file that this address gives',
  form: 'fields',
  note: 'It needs neither Node.js nor a text editor. It asks for your token when it is installed.',
  runsOn: ['windows', 'macos'],
  oneClick: {
    words: 'Add to Claude Desktop',
    link: (target: ConnectTarget) => [{ text: addressOf(target), as: 'is' }],
    next: 'Open the file that is saved and choose "Install". Paste your token where it asks for it.',
  },
  render: addressOf,
  /** Makes the file itself, which the command prints. */
  async makeFile(target: ConnectTarget): Promise<Uint8Array> {
    const { makeBundle } = await import('./bundle/make-bundle.ts');
    const { name, version = '0.1.0', withoutHeader = false } = target;
    return makeBundle({ url: mcpUrlOf(target), name, version, withoutToken: withoutHeader });
  },
} as const satisfies ConnectClient;
