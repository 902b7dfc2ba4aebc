/** A tool whose calls wait until a test releases them, so that other things can happen meanwhile. */
import { z } from 'zod';
import { defineTool, type Tool } from '../../src/mcp/tool.ts';
import { eventually } from './raw-http.ts';

/** The tool `hold`, and the means to control it. */
export interface HeldTool {
  readonly tool: Tool;
  /** How many calls are waiting. */
  readonly waiting: number;
  /** How many calls were aborted. */
  readonly aborted: number;
  /** Waits until this many calls are waiting. */
  untilWaiting(calls: number): Promise<void>;
  /** Releases every waiting call. */
  release(): void;
}

/**
 * Makes a tool that answers "held" once it is released. With the input `steps`, it reports that many steps first. With `ignoresAbort`,
 * a call goes on waiting after it has been aborted.
 */
export function createHeldTool({ ignoresAbort = false }: { readonly ignoresAbort?: boolean } = {}): HeldTool {
  const held = new Set<() => void>();
  let aborted = 0;
  const tool = defineTool({
    name: 'hold',
    title: 'Hold',
    description: 'Waits until the test lets it go.',
    input: z.object({ steps: z.number().default(0) }),
    run: async ({ steps }, { signal, progress }) => {
      for (let step = 1; step <= steps; step += 1) await progress(step, steps, `step ${step}`);
      await new Promise<void>((resolve) => {
        held.add(resolve);
        signal.addEventListener('abort', () => {
          aborted += 1;
          if (ignoresAbort) return;
          held.delete(resolve);
          resolve();
        });
      });
      return 'held';
    },
  });
  return {
    tool,
    get waiting() {
      return held.size;
    },
    get aborted() {
      return aborted;
    },
    untilWaiting: (calls) => eventually(() => held.size === calls, { what: `${calls} waiting calls` }),
    release() {
      for (const resolve of held) resolve();
      held.clear();
    },
  };
}
