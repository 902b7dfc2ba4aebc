/** The suite's resources: a text, a binary, a template, and one that changes and can be watched. */
import type { McpServer } from '@modelcontextprotocol/server';
import { ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Feature, FeatureContext } from '../../../src/mcp/feature.ts';
import { textResult } from './answers.ts';
import { RED_PIXEL_PNG } from './media.ts';

const WATCHED_URI = 'test://watched-resource';

/** Makes the resources. All connections share the content of the watched one. */
export function createResourcesFeature(): Feature {
  const watched = { text: 'The watched resource has not changed yet.' };
  return {
    name: 'resources',
    options: {
      capabilities: { resources: { subscribe: true, listChanged: true } },
      // Every user sees the same list, which never changes.
      cacheHints: { 'resources/list': { ttlMs: 60_000, cacheScope: 'public' } },
    },
    register(server, context) {
      registerFixedResources(server);
      registerWatchedResource(server, context, watched);
    },
  };
}

/** Registers resources whose content depends on their URI alone. */
function registerFixedResources(server: McpServer): void {
  server.registerResource(
    'static-text',
    'test://static-text',
    { description: 'A text that never changes.', mimeType: 'text/plain' },
    ({ href }) => ({
      contents: [
        { uri: href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
      ],
    }),
  );
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image that never changes.', mimeType: 'image/png' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'image/png', blob: RED_PIXEL_PNG }] }),
  );
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Data for any id.', mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
}

/** Registers a resource that clients can subscribe to, and the tool that changes it. */
function registerWatchedResource(
  server: McpServer,
  { changes }: FeatureContext,
  watched: { text: string },
): void {
  server.registerResource(
    'watched-resource',
    WATCHED_URI,
    { description: 'A text that test_update_watched_resource changes.', mimeType: 'text/plain' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'text/plain', text: watched.text }] }),
  );
  server.registerTool(
    'test_update_watched_resource',
    {
      description: `Changes ${WATCHED_URI} and tells its subscribers.`,
      inputSchema: z.object({ text: z.string().max(1000).describe('The new content') }),
    },
    ({ text }) => {
      watched.text = text;
      changes.resourceUpdated(WATCHED_URI);
      return textResult(`Changed ${WATCHED_URI}.`);
    },
  );
}
