/** The suite's prompts; one of them completes an argument. */
import type { GetPromptResult, McpServer } from '@modelcontextprotocol/server';
import { completable } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Feature } from '../../../src/mcp/feature.ts';
import { RED_PIXEL_PNG } from './media.ts';

const WORDS = ['paris', 'park', 'party', 'test', 'testing'];

/** Prompts with and without arguments, with an embedded resource, and with an image. */
export const promptsFeature: Feature = {
  name: 'prompts',
  options: { capabilities: { prompts: { listChanged: true }, completions: {} } },
  register(server) {
    registerTextPrompts(server);
    registerMediaPrompts(server);
  },
};

/** Registers prompts of a single text. */
function registerTextPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'A prompt without arguments.' }, () =>
    userMessages({ type: 'text', text: 'This is a simple prompt for testing.' }),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'A prompt that repeats its two arguments.', argsSchema: promptArguments() },
    ({ arg1, arg2 }) =>
      userMessages({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  );
}

/** Registers prompts with content other than text. */
function registerMediaPrompts(server: McpServer): void {
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    {
      description: 'A prompt that embeds the resource of the given URI.',
      argsSchema: z.object({ resourceUri: z.string().describe('URI of the resource to embed') }),
    },
    ({ resourceUri }) =>
      userMessages(
        {
          type: 'resource',
          resource: {
            uri: resourceUri,
            mimeType: 'text/plain',
            text: 'Embedded resource content for testing.',
          },
        },
        { type: 'text', text: 'Please process the embedded resource above.' },
      ),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'A prompt that shows an image.' }, () =>
    userMessages(
      { type: 'image', data: RED_PIXEL_PNG, mimeType: 'image/png' },
      { type: 'text', text: 'Please analyze the image above.' },
    ),
  );
}

/** Two required arguments; the first one is completed. */
function promptArguments() {
  return z.object({
    arg1: completable(z.string().describe('First test argument'), (typed) =>
      WORDS.filter((word) => word.startsWith(typed)),
    ),
    arg2: z.string().describe('Second test argument'),
  });
}

/** Makes a prompt with one user message for each content. */
function userMessages(...contents: GetPromptResult['messages'][number]['content'][]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: 'user', content })) };
}
