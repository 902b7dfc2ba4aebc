/** The names of the sets about signing in. */
export const SIGN_IN_SET_NAMES = /** @type {const} */ ([
  'authorization',
  '2025-11-25-signed-in',
  '2026-07-28-signed-in',
]);
