/** The error of a configuration that cannot be used. */

/** A configuration that cannot be used. The message names every bad variable and never holds a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
