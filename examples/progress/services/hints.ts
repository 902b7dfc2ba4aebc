/** Hints from an outside server. They are optional: nobody waits long for one, and nothing fails without one. */
import { z } from 'zod';
import { defineService } from '../../../src/mcp/service.ts';

/** How long a call waits for a hint. Milliseconds. */
const LIMIT_MS = 1_500;

/** The longest hint: a longer answer is not taken for one. Characters. */
const MAX_LENGTH = 500;

/** The service that finds hints. */
export const hints = defineService({
  name: 'hints',
  variables: {
    HINTS_URL: {
      description:
        'The example: where hints come from, {exercise} standing for the id. Without it there are none.',
      example: '',
      schema: z
        .string()
        .refine(
          (text) => URL.canParse(text) && text.includes('{exercise}'),
          'must be an address with {exercise} in it',
        )
        .optional(),
    },
  },
  open: ({ HINTS_URL }, { log }) => ({
    /** Returns the hint for an exercise; null if there is none in time. Rejects when `signal` is aborted. */
    async find(exerciseId: string, signal: AbortSignal): Promise<string | null> {
      if (HINTS_URL === undefined) return null;
      const url = HINTS_URL.replaceAll('{exercise}', encodeURIComponent(exerciseId));
      try {
        return await fetchHint(url, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'no hint');
        return null;
      }
    },
  }),
});

/** Fetches a hint; null if the answer is not a hint. Rejects after the limit, or when `signal` is aborted. */
async function fetchHint(url: string, signal: AbortSignal): Promise<string | null> {
  // AbortSignal.any with AbortSignal.timeout may never fire on Node 20.
  const limit = new AbortController();
  const stop = (): void => limit.abort();
  const timer = setTimeout(stop, LIMIT_MS);
  signal.addEventListener('abort', stop);
  try {
    const response = await fetch(url, { signal: limit.signal });
    const text = response.ok ? (await response.text()).trim() : '';
    return text === '' || text.length > MAX_LENGTH ? null : text;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}
