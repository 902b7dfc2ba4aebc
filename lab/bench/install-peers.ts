/** Installs the other servers that are compared: the packages in lab/bench/peers/package-lock.json, into that folder's node_modules. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { npmProgram } from '../../scripts/npm-program.ts';
import { PEERS_FOLDER } from './targets.ts';

/** Installs the peers, unless they are installed already. */
export function installPeers(say: (line: string) => void): void {
  const lock = readFileSync(path.join(PEERS_FOLDER, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex');
  const stamp = path.join(PEERS_FOLDER, 'node_modules/.bench-stamp');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  say('installing the peers (npm ci in lab/bench/peers/)');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const [program, ...first] = npmProgram('npm');
  const { status } = spawnSync(program, [...first, ...args], { cwd: PEERS_FOLDER, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('npm could not install the peers.');
  writeFileSync(stamp, hash);
}
