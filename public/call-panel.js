/** The panel of a tool, a prompt or a resource: its form, a button that sends it, and the result. */
import { element } from './element.js';
import { asRequestError } from './mcp-messages.js';
import { InputError } from './schema-field.js';
import { formatMs } from './wire-log.js';

/** @typedef {import('./mcp-client.js').Json} Json */

/**
 * @template Input
 * @typedef {object} CallPanelParts
 * @property {HTMLElement} head says what the panel is about
 * @property {string} label what the form is for, for screen readers
 * @property {string} verb such as `Call`
 * @property {readonly HTMLElement[]} fields
 * @property {readonly HTMLElement[]} [buttons] more buttons
 * @property {() => Input} read throws {@link InputError} when the input of a field is not valid
 * @property {(input: Input, options: import('./mcp-client.js').CallOptions) => Promise<Json>} send
 * @property {(result: Json) => readonly HTMLElement[]} show
 */

/**
 * Makes the panel.
 *
 * @template Input
 * @param {CallPanelParts<Input>} parts
 * @returns {HTMLElement[]}
 */
export function createCallPanel({ head, label, verb, fields, buttons = [], read, send, show }) {
  const sendButton = element('button', { type: 'submit', class: 'primary' }, verb);
  const cancelButton = element('button', { type: 'button', class: 'quiet', hidden: true }, 'Cancel');
  const form = element('form', { novalidate: true, 'aria-label': label });
  form.append(...fields, element('div', { class: 'row actions' }, sendButton, cancelButton, ...buttons));
  const outcome = element('div', { class: 'outcome', role: 'status' });
  const output = element('div', { class: 'output' });

  /** @type {AbortController | undefined} */
  let running;
  /** @param {boolean} isRunning */
  const setRunning = (isRunning) => {
    sendButton.toggleAttribute('aria-disabled', false);
    if (isRunning) sendButton.setAttribute('aria-disabled', 'true');
    cancelButton.hidden = !isRunning;
  };
  const run = async () => {
    if (running !== undefined) return;
    const input = readInput(read, outcome, output);
    if (input === undefined) return;
    running = new AbortController();
    setRunning(true);
    outcome.replaceChildren(element('span', { class: 'state' }, 'Running…'));
    output.replaceChildren();
    const startedMs = performance.now();
    try {
      const result = await send(input.value, {
        signal: running.signal,
        onProgress: ({ progress, total, message = '' }) =>
          outcome.replaceChildren(
            element('progress', { value: progress, max: total, 'aria-label': 'Progress' }),
            ` ${message}`,
          ),
      });
      const ok = result['isError'] !== true;
      showOutcome(outcome, { ok, words: ok ? 'Result' : 'The tool reports an error', startedMs });
      output.replaceChildren(...show(result));
    } catch (error) {
      const { message, status, code } = asRequestError(error);
      showOutcome(outcome, { ok: false, words: [status, code].filter(Boolean).join(' · '), startedMs });
      output.replaceChildren(element('p', { class: 'refusal' }, message));
    }
    running = undefined;
    setRunning(false);
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  form.addEventListener('keydown', (event) => {
    // Ctrl+Enter sends the form, since Enter makes a new line in a text of many lines.
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  cancelButton.addEventListener('click', () => running?.abort());
  return [head, form, outcome, output];
}

/**
 * Makes the head of a panel: the title, the name with short facts beside it, and the description.
 *
 * @param {{ title: string, name: string, description: string }} entry
 * @param {readonly HTMLElement[]} [facts]
 */
export function createHead({ title, name, description }, facts = []) {
  const hints = element('p', { class: 'hints' }, element('code', {}, name), ...facts);
  return element(
    'div',
    { class: 'tool-title' },
    element('h3', {}, title),
    hints,
    element('p', {}, description),
  );
}

/**
 * Reads the form's input; shows why and returns undefined when it is not valid.
 *
 * @template Input
 * @param {() => Input} read
 * @param {HTMLElement} outcome
 * @param {HTMLElement} output
 */
function readInput(read, outcome, output) {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    outcome.replaceChildren(element('span', { class: 'state bad' }, 'Not sent'), ` ${error.message}`);
    output.replaceChildren();
    return undefined;
  }
}

/**
 * Shows how a call ended and how long it took.
 *
 * @param {HTMLElement} place
 * @param {{ ok: boolean, words: string, startedMs: number }} outcome
 */
function showOutcome(place, { ok, words, startedMs }) {
  const time = formatMs(performance.now() - startedMs);
  place.replaceChildren(
    element('span', { class: ok ? 'state good' : 'state bad' }, words),
    element('span', { class: 'time' }, time),
  );
}
