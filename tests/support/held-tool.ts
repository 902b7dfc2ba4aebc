/** A tool whose calls wait until a test lets them go: whatever has to happen meanwhile can happen. */
import { z } from 'zod';
import { defineTool, type Tool } from '../../src/mcp/tool.ts';
import { eventually } from './raw-http.ts';

/** The tool `hold` and the hand on it. */
export interface HeldTool {
  readonly tool: Tool;
  /** How many calls are waiting. */
  readonly waiting: number;
  /** How many calls were aborted. */
  readonly aborted: number;
  /** Waits until so many calls are waiting. */
  untilWaiting(calls: number): Promise<void>;
  /** Lets every waiting call go. */
  release(): void;
}

/**
 * Makes a tool that answers "held" once it is released; with `steps` it reports that many steps first. Asked for, it waits on when
 * it has been told that nobody does.
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
