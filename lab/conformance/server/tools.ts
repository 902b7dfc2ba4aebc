/** The suite's tools that `defineTool` can express: text, image, sound, failure and progress. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Tool } from '../../../src/mcp/tool.ts';
import { defineTool, ToolError } from '../../../src/mcp/tool.ts';
import { RED_PIXEL_PNG, SILENT_WAV } from './media.ts';

const STEP_MS = 50;

const simpleText = defineTool({
  name: 'test_simple_text',
  title: 'Simple text',
  description: 'Returns one text.',
  input: z.object({}),
  run: () => 'This is a simple text response for testing.',
});

const imageContent = defineTool({
  name: 'test_image_content',
  title: 'Image',
  description: 'Returns an image of one red pixel.',
  input: z.object({}),
  run: () => [{ type: 'image', data: RED_PIXEL_PNG, mimeType: 'image/png' }],
});

const audioContent = defineTool({
  name: 'test_audio_content',
  title: 'Sound',
  description: 'Returns a short silence.',
  input: z.object({}),
  run: () => [{ type: 'audio', data: SILENT_WAV, mimeType: 'audio/wav' }],
});

const errorHandling = defineTool({
  name: 'test_error_handling',
  title: 'Failure',
  description: 'Always fails, in a way the model may read.',
  input: z.object({}),
  run: () => {
    throw new ToolError('This tool intentionally returns an error for testing');
  },
});

const withProgress = defineTool({
  name: 'test_tool_with_progress',
  title: 'Progress',
  description: 'Works in three steps and tells how far it is.',
  input: z.object({}),
  run: async (_input, { progress, signal }) => {
    await progress(0, 100);
    await sleep(STEP_MS, undefined, { signal });
    await progress(50, 100);
    await sleep(STEP_MS, undefined, { signal });
    await progress(100, 100);
    return 'Finished all three steps.';
  },
});

/** The tools of the fixture server, in the order clients list them. */
export const conformanceTools: readonly Tool[] = [
  simpleText,
  imageContent,
  audioContent,
  errorHandling,
  withProgress,
];
