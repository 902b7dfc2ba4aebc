/** Uses a page with the keyboard alone: presses Tab from element to element, and checks where the focus is. */
import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { waitFor } from './process.ts';

/** How often Tab is pressed at the most: more often than a page has elements to focus. */
const MAX_STOPS = 120;

/** The element that has the focus. */
interface Stop {
  /** Roughly the name that a screen reader would give it. */
  readonly name: string;
  /** Whether its focus outline can be seen. */
  readonly isSeen: boolean;
}

/**
 * Presses Tab until an element whose name begins with this has the focus.
 * @throws when an element on the way shows no focus, or none has the name
 */
export async function tabTo(page: Page, name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const names: string[] = [];
  for (let count = 0; count < MAX_STOPS; count += 1) {
    await page.keyboard.press(key);
    const stop = await stopOf(page);
    if (stop === undefined) continue;
    expect(stop).toEqual({ name: stop.name, isSeen: true });
    if (stop.name.startsWith(name)) return;
    names.push(stop.name);
  }
  throw new Error(`No stop is called ${name}; there are: ${names.join(', ')}`);
}

/**
 * Waits until an element whose name begins with this has the focus.
 * @throws saying which element has it instead, and what the page says
 */
export async function focused(page: Page, name: string): Promise<void> {
  let stop: Stop | undefined;
  try {
    await waitFor(`the focus on ${name}`, async () => {
      stop = await stopOf(page);
      return stop?.name.startsWith(name) === true;
    });
  } catch (cause) {
    const words = await page.getByRole('status').or(page.getByRole('alert')).allInnerTexts();
    throw new Error(`${String(cause)}; it is on ${stop?.name ?? 'nothing'}: ${words.join(' ').trim()}`, {
      cause,
    });
  }
}

/** The element that has the focus; undefined when none has. */
async function stopOf(page: Page): Promise<Stop | undefined> {
  return page.evaluate<Stop | undefined>(FIND_STOP);
}

/** Runs in the browser. It is a string, since the types here are those of Node. */
const FIND_STOP = `(() => {
  const { activeElement, body } = document;
  if (activeElement === null || activeElement === body) return undefined;
  const name = activeElement.getAttribute('aria-label') ?? (activeElement.labels?.[0] ?? activeElement).textContent;
  const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
  const { width, height } = activeElement.getBoundingClientRect();
  const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px' && width > 0 && height > 0;
  return { name: name.replaceAll(/\\s+/g, ' ').trim(), isSeen };
})()`;
