/** The table of people and their tokens, and which of them are chosen. */
import { byId, element } from '../page/element.js';

/** @typedef {import('./api.js').TokenFacts} TokenFacts */

/** How many rows are shown; a search finds the others. */
const SHOWN_ROWS = 500;

/**
 * Connects the table.
 *
 * @param {(token: TokenFacts) => void} onEdit
 */
export function createPeopleTable(onEdit) {
  const rows = byId('rows', HTMLElement);
  const search = byId('search', HTMLInputElement);
  const all = byId('all', HTMLInputElement);
  /** @type {readonly TokenFacts[]} */
  let tokens = [];
  let canEdit = true;
  /** @type {Set<string>} */
  const chosen = new Set();

  const shown = () => {
    const words = search.value.trim().toLowerCase();
    return tokens.filter(({ id, userId, name, state }) =>
      `${id} ${userId} ${name} ${state}`.toLowerCase().includes(words),
    );
  };
  // Chosen tokens stay chosen during a search, so that several can be looked for one after the other.
  const countHidden = () => {
    const drawn = shown().slice(0, SHOWN_ROWS);
    return chosen.size - drawn.filter(({ id }) => chosen.has(id)).length;
  };
  const tell = () => {
    const hidden = countHidden();
    const words = chosen.size === 0 ? 'None chosen' : `${chosen.size} chosen`;
    byId('chosen', HTMLElement).textContent = hidden === 0 ? words : `${words}, ${hidden} not shown`;
    byId('actions', HTMLElement).classList.toggle('some', chosen.size > 0);
  };
  const render = () => {
    const found = shown();
    all.checked = found.length > 0 && found.every(({ id }) => chosen.has(id));
    rows.replaceChildren(
      ...found.slice(0, SHOWN_ROWS).map((token) =>
        createRow(token, {
          isChosen: chosen.has(token.id),
          onChoice(isChosen) {
            if (isChosen) chosen.add(token.id);
            else chosen.delete(token.id);
            tell();
          },
          onEdit: canEdit ? () => onEdit(token) : undefined,
        }),
      ),
    );
    if (found.length > SHOWN_ROWS || found.length === 0) {
      const words =
        found.length === 0 ? 'Nobody.' : `${found.length - SHOWN_ROWS} more are not shown: search for them.`;
      rows.append(element('tr', {}, element('td', { colspan: 8 }, words)));
    }
    tell();
  };
  search.addEventListener('input', render);
  all.addEventListener('change', () => {
    for (const { id } of shown()) {
      if (all.checked) chosen.add(id);
      else chosen.delete(id);
    }
    render();
  });
  return {
    /**
     * @param {readonly TokenFacts[]} next
     * @param {boolean} [canBeEdited]
     */
    show(next, canBeEdited = true) {
      [tokens, canEdit] = [next, canBeEdited];
      const known = new Set(next.map(({ id }) => id));
      for (const id of chosen) if (!known.has(id)) chosen.delete(id);
      render();
    },
    /**
     * Moves the focus to the button of a token's row, after the rows were replaced.
     *
     * @param {string} id
     */
    focus(id) {
      document.getElementById(`edit-${id}`)?.focus();
    },
    /** The chosen tokens, and how many of them the table does not show. */
    chosen: () => ({ tokens: tokens.filter(({ id }) => chosen.has(id)), hidden: countHidden() }),
    clear() {
      chosen.clear();
      render();
    },
  };
}

/**
 * Makes a row.
 *
 * @param {TokenFacts} token
 * @param {{ isChosen: boolean, onChoice: (isChosen: boolean) => void, onEdit: (() => void) | undefined }} ways
 */
function createRow(
  { id, userId, name, scopes, state, expiresAt, lastUse, calls },
  { isChosen, onChoice, onEdit },
) {
  const box = element('input', { type: 'checkbox', 'aria-label': `Choose ${name}, token ${id}` });
  box.checked = isChosen;
  box.addEventListener('change', () => onChoice(box.checked));
  const who = element('td', {}, name, element('span', { class: 'aside' }, `${userId} · ${id}`));
  const opens = scopes === null ? 'all tools' : scopes.join(', ') || 'none';
  const chip = element('span', { class: state === 'valid' ? 'state good' : 'state bad' }, state);
  return element(
    'tr',
    {},
    element('td', {}, box),
    who,
    element('td', { 'data-head': 'Scopes' }, opens),
    element('td', { 'data-head': 'State' }, chip),
    element('td', { 'data-head': 'Ends', class: 'when' }, expiresAt === null ? 'never' : dayOf(expiresAt)),
    element(
      'td',
      { 'data-head': 'Last use', class: lastUse === null ? 'none' : 'when' },
      lastUse === null ? '–' : minuteOf(lastUse),
    ),
    createCalls(calls),
    element('td', {}, ...(onEdit === undefined ? [] : [createEdit(id, name, onEdit)])),
  );
}

/**
 * Makes the button that edits an entry.
 *
 * @param {string} id
 * @param {string} name
 * @param {() => void} onEdit
 */
function createEdit(id, name, onEdit) {
  const label = `Edit ${name}, token ${id}`;
  const button = element(
    'button',
    { type: 'button', class: 'quiet', id: `edit-${id}`, 'aria-label': label },
    'Edit',
  );
  button.addEventListener('click', onEdit);
  return button;
}

/**
 * Makes the cell of a user's calls.
 *
 * @param {readonly number[]} calls by day, today's last
 */
function createCalls(calls) {
  const all = sumOf(calls);
  const head = { 'data-head': 'Calls, 7 days' };
  if (all === 0) return element('td', { ...head, class: 'none' }, '–');
  const words = `today ${calls.at(-1) ?? 0}, in ${calls.length} days ${all}`;
  return element('td', head, String(sumOf(calls.slice(-7))), element('span', { class: 'aside' }, words));
}

/**
 * The sum of numbers.
 *
 * @param {readonly number[]} numbers
 */
function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/**
 * The date of a moment.
 *
 * @param {string} moment
 */
function dayOf(moment) {
  return moment.slice(0, 10);
}

/**
 * The date of a moment, with hours and minutes.
 *
 * @param {string} moment
 */
function minuteOf(moment) {
  return `${dayOf(moment)} ${moment.slice(11, 16)}`;
}
