/** The package of this server: its folder, and the name and version that stand in its package.json and nowhere else. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** What package.json says of the server. */
export interface PackageFacts {
  readonly name: string;
  readonly version: string;
}

// A copy of `dist/` may be beside a package.json that has neither name nor version.
const MANIFEST = z.object({ name: z.string().default('mcp-server'), version: z.string().default('0.0.0') });

/**
 * Reads name and version.
 * @throws the system's error when package.json cannot be read, zod's when it is something else
 */
export function readPackage(): PackageFacts {
  const text = readFileSync(path.join(packageFolder(), 'package.json'), 'utf8');
  return Object.freeze(MANIFEST.parse(JSON.parse(text)));
}

/** The folder of package.json, which is above `src/` as well as above `dist/src/`. */
export function packageFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) && folder !== path.dirname(folder)) {
    folder = path.dirname(folder);
  }
  return folder;
}
