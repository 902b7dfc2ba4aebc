/** The tools of a user: a list to choose from, a form for the chosen one, and what a call returned. */
import { byId, element } from './element.js';
import { asObject, asRequestError, paramHeaders } from './mcp-messages.js';
import { createSchemaForm, InputError } from './schema-form.js';
import { showResult } from './tool-result.js';
import { formatMs } from './wire-log.js';

/** @typedef {import('./mcp-client.js').Tool} Tool */
/** @typedef {import('./mcp-client.js').McpClient} McpClient */

/**
 * Shows the list, and the first tool of it.
 *
 * @param {McpClient} client
 * @param {readonly Tool[]} tools
 */
export function showTools(client, tools) {
  const place = byId('tool', HTMLElement);
  const buttons = tools.map((tool) => {
    const button = element('button', { type: 'button' }, element('span', {}, tool.title));
    if (tool.title !== tool.name) button.append(element('code', {}, tool.name));
    button.addEventListener('click', () => {
      for (const other of buttons) other.removeAttribute('aria-current');
      button.setAttribute('aria-current', 'true');
      place.replaceChildren(...createPanel(client, tool));
    });
    return button;
  });
  byId('tool-list', HTMLElement).replaceChildren(...buttons.map((button) => element('li', {}, button)));
  place.replaceChildren(element('p', { class: 'aside' }, 'This token may use no tool.'));
  buttons[0]?.click();
}

/** Shows no tool, nor what one has returned. */
export function hideTools() {
  byId('tool-list', HTMLElement).replaceChildren();
  byId('tool', HTMLElement).replaceChildren();
}

/**
 * The panel of a tool.
 *
 * @param {McpClient} client
 * @param {Tool} tool
 */
function createPanel(client, tool) {
  const { view, toggle, read } = createSchemaForm(tool.inputSchema);
  const callButton = element('button', { type: 'submit', class: 'primary' }, 'Call');
  const cancelButton = element('button', { type: 'button', class: 'quiet', hidden: true }, 'Cancel');
  const form = element('form', { novalidate: true, 'aria-label': `Input of ${tool.name}` });
  form.append(view, element('div', { class: 'row actions' }, callButton, cancelButton, toggle));
  const outcome = element('div', { class: 'outcome', role: 'status' });
  const output = element('div', { class: 'output' });

  /** @type {AbortController | undefined} */
  let running;
  /** @param {boolean} isRunning */
  const setRunning = (isRunning) => {
    callButton.toggleAttribute('aria-disabled', false);
    if (isRunning) callButton.setAttribute('aria-disabled', 'true');
    cancelButton.hidden = !isRunning;
  };
  const call = async () => {
    if (running !== undefined) return;
    const input = readInput(read, outcome, output);
    if (input === undefined) return;
    running = new AbortController();
    setRunning(true);
    outcome.replaceChildren(element('span', { class: 'state' }, 'Running…'));
    output.replaceChildren();
    const startedMs = performance.now();
    try {
      const result = await client.request(
        'tools/call',
        { name: tool.name, arguments: input },
        {
          signal: running.signal,
          headers: paramHeaders(tool.inputSchema, asObject(input) ?? {}),
          onProgress: ({ progress, total, message = '' }) =>
            outcome.replaceChildren(
              element('progress', { value: progress, max: total, 'aria-label': 'Progress' }),
              ` ${message}`,
            ),
        },
      );
      const failed = result['isError'] === true;
      showOutcome(outcome, {
        ok: !failed,
        words: failed ? 'The tool reports an error' : 'Result',
        startedMs,
      });
      output.replaceChildren(...showResult(result));
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
    void call();
  });
  form.addEventListener('keydown', (event) => {
    // In a text of many lines Enter is a new line.
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  cancelButton.addEventListener('click', () => running?.abort());
  return [createTitle(tool), form, outcome, output];
}

/**
 * The tool's name, hints and description.
 *
 * @param {Tool} tool
 */
function createTitle({ name, title, description, annotations }) {
  const heading = element('h3', {}, title);
  const hints = element('p', { class: 'hints' }, element('code', {}, name));
  if (annotations['readOnlyHint'] === true) hints.append(element('span', { class: 'chip' }, 'read-only'));
  if (annotations['destructiveHint'] === true)
    hints.append(element('span', { class: 'chip bad' }, 'destructive'));
  return element('div', { class: 'tool-title' }, heading, hints, element('p', {}, description));
}

/**
 * The form's input; undefined when a field has complained.
 *
 * @param {() => unknown} read
 * @param {HTMLElement} outcome
 * @param {HTMLElement} output
 */
function readInput(read, outcome, output) {
  try {
    return { ...asObject(read()) };
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
