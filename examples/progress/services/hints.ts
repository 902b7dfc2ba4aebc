/** Hints from a server of somebody else's: nice to have, so nobody waits for them for long, and nothing fails without them. */
import { z } from 'zod';
import { defineService } from '../../../src/mcp/service.ts';

/** So long a hint is waited for. Milliseconds. */
const LIMIT_MS = 1_500;

/** A longer answer is no hint. Characters. */
const MAX_LENGTH = 500;

/** Finds hints. */
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
    /** The hint for an exercise; null where there is none in time. */
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

/** Asks for one until the limit, or until whoever wants it does not want it any more. */
async function fetchHint(url: string, signal: AbortSignal): Promise<string | null> {
  // AbortSignal.any with AbortSignal.timeout may never fire on Node 20: docs/06_LESSONS_LEARNED.md.
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
