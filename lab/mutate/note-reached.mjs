/** Preloaded into the test files in the first run of `npm run mutate`: records which of the marked places each test reaches. */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from '@jest/globals';

const seen = new Set();

/** @param {number} place */
function note(place) {
  if (seen.has(place)) return;
  seen.add(place);
  const test = path.relative(process.cwd(), expect.getState().testPath ?? '');
  appendFileSync(process.env['MUTATE_REACHED'] ?? '', `${place}\t${test}\n`);
}

Object.assign(globalThis, { noteReached: note });
