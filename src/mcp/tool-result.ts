/** Makes the result of a call from what its tool returned. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type Tool, ToolResult } from './tool.ts';

/**
 * Makes a result of a tool's answer: with an output schema, structured output that is checked against it; otherwise content.
 * @throws when the answer does not match, which is a fault of the tool
 */
export function toResult({ name, output }: Tool, answer: unknown): CallToolResult {
  if (answer instanceof ToolResult) {
    const { content, _meta: meta } = answer;
    const structuredContent = output?.parse(answer.structured);
    if (meta !== undefined || (content !== undefined && structuredContent !== undefined))
      requireSpellable([meta, structuredContent]);
    return {
      ...(meta !== undefined && { _meta: META.parse(meta) }),
      content: content === undefined ? spellStructured(structuredContent) : toContent(content),
      ...(structuredContent !== undefined && { structuredContent }),
    };
  }
  if (output !== undefined) {
    const structuredContent = output.parse(answer);
    return { content: spellStructured(structuredContent), structuredContent };
  }
  if (typeof answer !== 'string' && !Array.isArray(answer))
    throw new TypeError(
      `${name} returned ${answer === null ? 'null' : typeof answer}. Without an output schema, run returns a text, a list of content, or a ToolResult.`,
    );
  return { content: toContent(answer) };
}

/** A result that tells the model what went wrong. */
export function errorResult(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}

/**
 * Makes content of a text, or checks pieces of content.
 * @throws when they are not valid content, or contain what JSON cannot represent
 */
export function toContent(content: unknown): CallToolResult['content'] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  const pieces = CONTENT.parse(content);
  const metas = pieces.flatMap((piece) => [piece._meta, piece.type === 'resource' && piece.resource._meta]);
  if (metas.some(Boolean)) requireSpellable(metas);
  return pieces;
}

/**
 * Checks what the schemas leave open, such as a BigInt or a circular reference, while the call can still be answered.
 * @throws when JSON cannot represent the value
 */
function requireSpellable(value: unknown): void {
  JSON.stringify(value);
}

/** Structured output as text, for clients that do not read structured content. */
function spellStructured(structured: unknown): CallToolResult['content'] {
  return structured === undefined ? [] : [{ type: 'text', text: JSON.stringify(structured) }];
}

const META = z.record(z.string(), z.unknown());

const ANNOTATIONS = z.strictObject({
  audience: z.array(z.enum(['user', 'assistant'])).optional(),
  priority: z.number().min(0).max(1).optional(),
  lastModified: z.iso.datetime({ offset: true }).optional(),
});

const ICON = z.strictObject({
  src: z.string(),
  mimeType: z.string().optional(),
  sizes: z.array(z.string()).optional(),
  theme: z.enum(['light', 'dark']).optional(),
});

const END = { annotations: ANNOTATIONS.optional(), _meta: META.optional() };

const RESOURCE = { uri: z.string(), mimeType: z.string().optional(), _meta: META.optional() };

/**
 * The schema of content, since a fork's JavaScript may return anything. The fields are in the order of the SDK's own schemas, so that
 * answers are the same with and without the SDK.
 */
const CONTENT: z.ZodType<CallToolResult['content']> = z.array(
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text'), text: z.string(), ...END }),
    z.strictObject({ type: z.literal('image'), data: z.base64(), mimeType: z.string(), ...END }),
    z.strictObject({ type: z.literal('audio'), data: z.base64(), mimeType: z.string(), ...END }),
    z.strictObject({
      name: z.string(),
      title: z.string().optional(),
      icons: z.array(ICON).optional(),
      uri: z.string(),
      description: z.string().optional(),
      mimeType: z.string().optional(),
      size: z.number().optional(),
      ...END,
      type: z.literal('resource_link'),
    }),
    z.strictObject({
      type: z.literal('resource'),
      resource: z.union([
        z.strictObject({ ...RESOURCE, text: z.string() }),
        z.strictObject({ ...RESOURCE, blob: z.base64() }),
      ]),
      ...END,
    }),
  ]),
);
