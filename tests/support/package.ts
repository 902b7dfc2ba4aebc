/** What package.json says of this server, for tests that must hold in a fork, too. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './process.ts';

/** The name and the version. */
export const PACKAGE = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};
