/** Makes the bundle for Claude Desktop (.mcpb): a manifest, an icon, and a bridge to this server. It never contains a token. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageFolder } from '../../package.ts';
import { zip } from './zip.ts';

/** The server that a bundle leads to. */
export interface BundleTarget {
  /** The URL of Streamable HTTP. */
  readonly url: string;
  readonly name: string;
  readonly version: string;
  /** Whether callers need no token: then none is asked for. */
  readonly withoutToken: boolean;
}

/** The path of the bridge in the bundle. */
const BRIDGE = 'server/connect.mjs';

/**
 * Makes the bytes of the bundle, which are always the same for the same server. It is not signed: a signature is appended after the end of
 * the archive, and strict readers refuse that.
 * @throws the system's error when the files of `bundle/` cannot be read
 */
export function makeBundle(target: BundleTarget): Buffer {
  const folder = path.join(packageFolder(), 'bundle');
  return zip([
    { name: 'manifest.json', content: Buffer.from(`${JSON.stringify(manifestOf(target), null, 2)}\n`) },
    { name: 'icon.png', content: readFileSync(path.join(folder, 'icon.png')) },
    { name: BRIDGE, content: readFileSync(path.join(folder, 'connect.mjs')) },
  ]);
}

/** The manifest, version 0.3. It cannot describe a server by its URL alone, so Claude's own Node.js runs the bridge. */
function manifestOf({ url, name, version, withoutToken }: BundleTarget) {
  const { host } = new URL(url);
  const token = {
    type: 'string',
    title: 'Your token',
    description: `The token that you were given for ${host}. Claude keeps it where the system keeps passwords.`,
    sensitive: true,
    required: true,
  };
  return {
    manifest_version: '0.3',
    name,
    display_name: `${name} (${host})`,
    version: /^\d+\.\d+\.\d+/.test(version) ? version : '0.1.0',
    description: `Connects Claude to the MCP server at ${host}.`,
    author: { name: host },
    icon: 'icon.png',
    server: {
      type: 'node',
      entry_point: BRIDGE,
      mcp_config: {
        command: 'node',
        args: [`\${__dirname}/${BRIDGE}`],
        env: { MCP_URL: url, ...(!withoutToken && { MCP_TOKEN: '${user_config.token}' }) },
      },
    },
    ...(!withoutToken && { user_config: { token } }),
    tools_generated: true,
    license: 'MIT',
    compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: '>=18' } },
  };
}
