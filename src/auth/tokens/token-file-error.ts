/** The error of everything that reads token files. */

/** A token file that cannot be used. The message never holds anything from the file but field names. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
}
