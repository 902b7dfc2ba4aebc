/** Makes a request polite. */

/** @param {string} request */
export const politely = (request) => `Please ${request}.`;
