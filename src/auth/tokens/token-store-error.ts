/** Why a token file, or the tokens of a database, could not be read or changed, in words that are all that a person needs. It never holds a token. */
export class TokenStoreError extends Error {
  override readonly name = 'TokenStoreError';
  /** Whether a change may be written all the same: whoever does it again does it twice, perhaps. */
  readonly isUnsure: boolean;

  constructor(
    message: string,
    { isUnsure = false, ...options }: ErrorOptions & { readonly isUnsure?: boolean } = {},
  ) {
    super(message, options);
    this.isUnsure = isUnsure;
  }
}
