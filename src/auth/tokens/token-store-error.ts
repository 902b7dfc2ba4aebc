/** Why a token file, or the tokens of a database, could not be read or changed, in words that are all that a person needs. It never holds a token. */
export class TokenStoreError extends Error {
  override readonly name = 'TokenStoreError';
}
