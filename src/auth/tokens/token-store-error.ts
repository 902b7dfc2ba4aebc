/**
 * The error when the tokens of a file or a database could not be read or changed. Its message is all that a person needs, and never holds a token.
 */
export class TokenStoreError extends Error {
  override readonly name = 'TokenStoreError';
  /** Whether the change may have been written all the same: doing it again could do it twice. */
  readonly isUnsure: boolean;

  constructor(
    message: string,
    { isUnsure = false, ...options }: ErrorOptions & { readonly isUnsure?: boolean } = {},
  ) {
    super(message, options);
    this.isUnsure = isUnsure;
  }
}
