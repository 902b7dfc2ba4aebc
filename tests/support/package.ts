/** What package.json says of this server: a fork calls it otherwise. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './process.ts';

/** Name and version. */
export const PACKAGE = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};
