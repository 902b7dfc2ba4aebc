/** Reads the licences of the runtime dependencies from a lock file, and describes them. */
import { z } from 'zod';

/** Licences under which anybody may use, change and pass on the code, with the text of the licence. */
const KNOWN: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
]);

const LOCK_FILE = z.object({
  packages: z.record(
    z.string(),
    z.object({
      license: z.string().default('none given'),
      dev: z.boolean().default(false),
      link: z.boolean().default(false),
    }),
  ),
});

/** Makes the list as Markdown. Without versions, which change every week, while licences hardly ever do. */
export function describeLicences(lockFile: string): string {
  const packages = readLicences(lockFile);
  const count = (licence: string): number => packages.filter((entry) => entry.licence === licence).length;
  const sums = [...new Set(packages.map(({ licence }) => licence))]
    .toSorted()
    .map((licence) => `- ${licence}: ${count(licence)}`);
  return [
    '# Licences of the dependencies',
    '',
    'What the server needs at run time, and under which licence. The server itself is under the MIT licence (LICENSE). Made by',
    '`npm run licences` from package-lock.json; a test compares the two.',
    '',
    ...sums,
    '',
    '| package | licence |',
    '| --- | --- |',
    ...packages.map(({ name, licence }) => `| ${name} | ${licence} |`),
    '',
  ].join('\n');
}

/** The packages whose licence has not been reviewed. */
export function findUnknownLicences(lockFile: string): string[] {
  return readLicences(lockFile)
    .filter(({ licence }) => !KNOWN.has(licence))
    .map(({ name, licence }) => `${name} (${licence})`);
}

/** The runtime packages and their licences, sorted by name, each pair once. */
function readLicences(lockFile: string): { name: string; licence: string }[] {
  const { packages } = LOCK_FILE.parse(JSON.parse(lockFile));
  const lines = Object.entries(packages)
    // Folders of this repository, and links to them, belong to the project itself.
    .filter(([path, { dev, link }]) => path.includes('node_modules/') && !link && !dev)
    .map(
      ([path, { license }]) =>
        `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}\t${license}`,
    );
  return [...new Set(lines)].toSorted().map((line) => {
    const [name = '', licence = ''] = line.split('\t');
    return { name, licence };
  });
}
