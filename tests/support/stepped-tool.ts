/** A tool that a test controls by hand: its progress, when it pauses its client, and when it answers. */
import { z } from 'zod';
import { defineTool, type Tool, type ToolContext } from '../../src/mcp/tool.ts';
import { eventually } from './raw-http.ts';

/** One running call of the tool. */
export interface SteppedCall {
  readonly context: ToolContext;
  /** Reports this many further steps of progress. */
  step(count?: number): Promise<void>;
  /** Answers the call. */
  finish(text: string): void;
}

/** The tool `walk`, and the means to control it. */
export interface SteppedTool {
  readonly tool: Tool;
  /** Waits for the call with this number, from 0. */
  call(index?: number): Promise<SteppedCall>;
  /** Answers every call that still runs. */
  finishAll(): void;
}

/** Makes the tool. */
export function createSteppedTool({ scope }: { readonly scope?: string } = {}): SteppedTool {
  const calls: SteppedCall[] = [];
  const tool = defineTool({
    name: 'walk',
    title: 'Walk',
    description: 'Does what the test says, step by step.',
    input: z.object({}),
    ...(scope !== undefined && { scope }),
    run: async (_input, context) => {
      let steps = 0;
      return new Promise<string>((resolve) => {
        calls.push({
          context,
          async step(count = 1) {
            for (let done = 0; done < count; done += 1) await context.progress((steps += 1));
          },
          finish: resolve,
        });
      });
    },
  });
  return {
    tool,
    async call(index = 0) {
      await eventually(() => calls.length > index, { what: `call ${index} of the tool` });
      const call = calls[index];
      if (call === undefined) throw new Error(`No call ${index}.`);
      return call;
    },
    finishAll: () => calls.forEach(({ finish }) => finish('at the end of the test')),
  };
}
