/** A page by its keyboard alone: goes from stop to stop as people do, and sees where the focus is. */
import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { waitFor } from './process.ts';

/** More stops than a page has. */
const MAX_STOPS = 120;

/** Where the focus is. */
interface Stop {
  /** What a screen reader would call it, as far as that needs to be known here. */
  readonly name: string;
  /** Whether somebody who looks at the page sees it. */
  readonly isSeen: boolean;
}

/**
 * Presses Tab until the focus is on what has this name.
 * @throws when a stop on the way is not to be seen, or there is no such stop
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
 * Waits until the focus is on what has this name.
 * @throws where it is instead, with what the page says
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

/** Where the focus is; undefined where nothing has it. */
async function stopOf(page: Page): Promise<Stop | undefined> {
  return page.evaluate<Stop | undefined>(FIND_STOP);
}

/** Runs in the browser: a text, as the types here are Node's. */
const FIND_STOP = `(() => {
  const { activeElement, body } = document;
  if (activeElement === null || activeElement === body) return undefined;
  const name = activeElement.getAttribute('aria-label') ?? (activeElement.labels?.[0] ?? activeElement).textContent;
  const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
  const { width, height } = activeElement.getBoundingClientRect();
  const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px' && width > 0 && height > 0;
  return { name: name.replaceAll(/\\s+/g, ' ').trim(), isSeen };
})()`;
