/** Compares package-lock.json with what npm has noted of the packages in node_modules. */

// Its syntax is that of Node 14, like that of prepare.mjs, which says why.

/**
 * Whether npm has installed every package that a lock file names, and no others.
 *
 * @param {string} lockText package-lock.json
 * @param {string} installedText what npm has written into node_modules
 * @param {(folder: string) => boolean} isThere whether a package's folder exists: `--package-lock-only` names what does not
 */
export function isInstalledAs(lockText, installedText, isThere) {
  const { '': _project, ...locked } = packagesOf(lockText);
  const installed = packagesOf(installedText);
  for (const [name, entry] of Object.entries(locked)) {
    const found = installed[name];
    // Packages for another platform are optional: the lock file names them, and they are absent.
    if (found === undefined || !isThere(name)) {
      if (entry.optional !== true) return false;
    } else if (!isSame(entry, found)) return false;
  }
  // A left-over package can hide the one that is meant. `npm install --no-save` marks its packages as extraneous: those may stay.
  return Object.entries(installed).every(([name, { extraneous }]) => name in locked || extraneous === true);
}

/**
 * Whether two entries are the same package. The source counts only for packages without a digest: folders and git.
 *
 * @param {LockedPackage} one
 * @param {LockedPackage} other
 */
function isSame(one, other) {
  if (one.version !== other.version || one.integrity !== other.integrity || one.link !== other.link)
    return false;
  return one.integrity !== undefined || one.resolved === other.resolved;
}

/**
 * @typedef {{
 *   version?: string, integrity?: string, resolved?: string, link?: boolean, optional?: boolean, extraneous?: boolean
 * }} LockedPackage
 */

/**
 * The packages of a lock file by folder; none when it cannot be read.
 *
 * @param {string} text
 * @returns {Record<string, LockedPackage>}
 */
function packagesOf(text) {
  try {
    /** @type {{ packages?: Record<string, LockedPackage> }} */
    // oxlint-disable-next-line typescript/no-unsafe-assignment -- npm's own file, and zod may not be installed yet
    const { packages = {} } = JSON.parse(text);
    return packages;
  } catch {
    return {};
  }
}
