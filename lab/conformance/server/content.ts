/** The suite's tools that need more of the SDK than `defineTool` offers: resources, log messages, raw JSON Schema, headers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallToolResult, McpServer } from '@modelcontextprotocol/server';
import { fromJsonSchema } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Feature } from '../../../src/mcp/feature.ts';
import { textResult } from './answers.ts';
import { RED_PIXEL_PNG } from './media.ts';

const STEP_MS = 50;

/** Embedded resources, log messages, a schema with many keywords of 2020-12, header parameters, and a stream that is cut. */
export const contentFeature: Feature = {
  name: 'content',
  options: { capabilities: { logging: {} } },
  register(server) {
    registerEmbeddedResources(server);
    registerLogging(server);
    registerInputSchemas(server);
    registerReconnection(server);
  },
};

/** Registers tools whose result embeds a resource. */
function registerEmbeddedResources(server: McpServer): void {
  server.registerTool(
    'test_embedded_resource',
    { description: 'Returns an embedded text resource.' },
    (): CallToolResult => ({
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.',
          },
        },
      ],
    }),
  );
  server.registerTool(
    'test_multiple_content_types',
    { description: 'Returns a text, an image and an embedded resource.' },
    (): CallToolResult => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: RED_PIXEL_PNG, mimeType: 'image/png' },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: JSON.stringify({ test: 'data', value: 123 }),
          },
        },
      ],
    }),
  );
}

/** Registers tools that send log messages to the client while they run. */
function registerLogging(server: McpServer): void {
  server.registerTool(
    'test_tool_with_logging',
    { description: 'Sends three log messages while it runs.' },
    async ({ mcpReq }) => {
      await mcpReq.log('info', 'Tool execution started');
      await sleep(STEP_MS, undefined, { signal: mcpReq.signal });
      await mcpReq.log('info', 'Tool processing data');
      await sleep(STEP_MS, undefined, { signal: mcpReq.signal });
      await mcpReq.log('info', 'Tool execution completed');
      return textResult('Sent three log messages.');
    },
  );
  // Always sends. The server must drop the messages for a 2026-07-28 request without a log level.
  server.registerTool(
    'test_logging_tool',
    { description: 'Sends one log message of every level.' },
    async ({ mcpReq }) => {
      for (const level of ['debug', 'info', 'warning', 'error'] as const) {
        await mcpReq.log(level, `A message of level ${level}`);
      }
      return textResult('Sent one message of every level.');
    },
  );
}

/** Registers tools for tests of input schemas: how they are listed, and how they are checked before a call. */
function registerInputSchemas(server: McpServer): void {
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(CONTACT_SCHEMA) },
    (contact) => textResult(`Valid contact: ${JSON.stringify(contact)}`),
  );
  server.registerTool(
    'test_x_mcp_header',
    {
      description: 'Takes a parameter that clients repeat in the header Mcp-Param-Region.',
      inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
    },
    ({ region }) => textResult(`Region: ${region}`),
  );
}

/** Registers a tool whose stream ends before its answer, so that the client has to resume it. */
function registerReconnection(server: McpServer): void {
  server.registerTool(
    'test_reconnection',
    { description: 'Closes its event stream, then answers: a client gets the answer when it reconnects.' },
    async ({ mcpReq, http }) => {
      await sleep(STEP_MS, undefined, { signal: mcpReq.signal });
      // Defined only when the stream can be resumed; otherwise the answer is sent on this stream.
      http?.closeSSE?.();
      await sleep(STEP_MS, undefined, { signal: mcpReq.signal });
      return textResult('Answered after the stream was closed.');
    },
  );
}

const CONTACT_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- `then` is a keyword of JSON Schema here
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
