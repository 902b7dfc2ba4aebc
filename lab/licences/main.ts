/**
 * `npm run licences`: writes docs/LICENCES.md, the licences of the runtime dependencies, from package-lock.json;
 * with `--check` it only compares. Fails on a licence that has not been reviewed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { helped, understoodSwitches } from '../help.ts';
import { USAGE } from './main.usage.mjs';
import { describeLicences, findUnknownLicences } from './describe.ts';

// npm runs scripts in the root folder of the package.
const LIST = 'docs/LICENCES.md';

if (!helped(USAGE)) {
  const switches = understoodSwitches('licences', USAGE, ['check']);
  process.exitCode = switches === undefined ? 2 : await main(switches.has('check'));
}

/** Writes the list, or compares it; returns the exit code. */
async function main(isCheck: boolean): Promise<number> {
  const lockFile = await readFile('package-lock.json', 'utf8');
  const unknown = findUnknownLicences(lockFile);
  const config = await resolveConfig(LIST);
  const text = await format(describeLicences(lockFile), { ...config, parser: 'markdown' });
  const isCurrent = (await readFile(LIST, 'utf8').catch(() => '')) === text;
  if (!isCheck) await writeFile(LIST, text);
  if (isCheck && !isCurrent) console.error(`${LIST} is not what package-lock.json says: npm run licences`);
  for (const name of unknown)
    console.error(`licences: look at that of ${name}, and add it to lab/licences/describe.ts`);
  if (unknown.length > 0 || (isCheck && !isCurrent)) return 1;
  console.log(`licences: ${LIST} ${isCheck ? 'is as it should be' : 'is written'}`);
  return 0;
}
