/**
 * The questions before something that cannot be undone. Those before an action on chosen tokens say whose tokens these are, and how many of
 * them the table does not show.
 */

/**
 * An action, and the tokens that it is for.
 *
 * @typedef {{ action: string, label: string, tokens: readonly import('./api.js').TokenFacts[], hidden: number }} Plan
 */

/** How many people a question names. */
const NAMED = 3;

/**
 * The question before an action; undefined if none is necessary.
 *
 * @param {Plan} plan
 * @returns {Parameters<typeof import('./ask.js').ask>[0] | undefined}
 */
export function questionOf({ action, label, tokens, hidden }) {
  const count = countOf(tokens.length);
  const unseen =
    hidden === 0 ? '' : ` ${hidden} of them ${hidden === 1 ? 'is' : 'are'} not shown in the table.`;
  const whose = `${tokens.length === 1 ? 'It belongs' : 'They belong'} to ${ownersOf(tokens)}.${unseen}`;
  if (action === 'remove') {
    const words = `${whose} Anybody who uses ${tokens.length === 1 ? 'it' : 'them'} is cut off at once. This cannot be undone.`;
    return { title: `Remove ${count}?`, words, yes: 'Remove' };
  }
  if (action === 'expire')
    return {
      title: `Set the end of ${count}`,
      words: `${whose} Enter a date such as 2027-06-30, a length such as 90d, or never. An empty field ends ${tokens.length === 1 ? 'it' : 'them'} at once.`,
      yes: 'Set',
      field: { label: 'End', value: '90d' },
    };
  // Other actions are easily undone, or their outcome is seen: they need a question only if some of the tokens are not shown.
  return hidden === 0 ? undefined : { title: `${label}: ${count}?`, words: whose, yes: label };
}

/**
 * The question before links are closed that nobody has saved, printed or copied.
 *
 * @param {number} count how many links
 * @returns {Parameters<typeof import('./ask.js').ask>[0]}
 */
export function questionOfLinks(count) {
  const they = count === 1 ? 'it' : 'them';
  return {
    title: `Close and lose ${countOf(count, 'link')}?`,
    words: `Nobody has saved, printed or copied ${they}, and a link is shown only once: its owner will need a new one.`,
    yes: 'Close',
  };
}

/**
 * A number of tokens, or of other things, in words.
 *
 * @param {number} count
 * @param {string} [thing]
 */
export function countOf(count, thing = 'token') {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/**
 * The owners of tokens: the first few by name, and how many others.
 *
 * @param {Plan['tokens']} tokens
 */
function ownersOf(tokens) {
  const owners = new Map(tokens.map(({ userId, name }) => [userId, name]));
  const named = [...owners]
    .slice(0, NAMED)
    .map(([userId, name]) => (name === userId ? userId : `${name} (${userId})`))
    .join(', ');
  return owners.size > NAMED ? `${named} and ${owners.size - NAMED} more` : named;
}
