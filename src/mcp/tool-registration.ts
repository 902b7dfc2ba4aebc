/** The SDK's view of a tool, prepared once. */
import type { Icon as ListedIcon } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Icon } from './content.ts';
import type { Tool, ToolAnnotations } from './tool.ts';
import { requireHeaderNames } from './tool-headers.ts';

/** A tool with what `registerTool` takes. */
export interface ToolRegistration {
  readonly tool: Tool;
  readonly config: {
    readonly title: string;
    readonly description: string;
    readonly inputSchema: PreparedSchema;
    readonly outputSchema?: PreparedSchema;
    readonly annotations?: ToolAnnotations;
    readonly icons?: ListedIcon[];
    readonly _meta?: Record<string, unknown>;
  };
}

/** A zod schema for the SDK to describe but not to check: `callTool` checks, once. */
type PreparedSchema = ReturnType<typeof prepareSchema>;

/**
 * What the SDK needs to know of a tool.
 * @throws {Error} when its input names headers that there must not be
 */
export function registrationOf(tool: Tool): ToolRegistration {
  const { name, title, description, annotations, icons, _meta, input, output } = tool;
  const inputSchema = prepareSchema(input, 'input');
  requireHeaderNames(name, inputSchema['~standard'].jsonSchema.input());
  return {
    tool,
    config: {
      title,
      description,
      inputSchema,
      ...(output !== undefined && { outputSchema: prepareSchema(output, 'output') }),
      ...(annotations !== undefined && { annotations }),
      ...(icons !== undefined && { icons: toListedIcons(icons) }),
      ...(_meta !== undefined && { _meta: { ..._meta } }),
    },
  };
}

/** Icons as the SDK's types have them. */
export function toListedIcons(icons: readonly Icon[]): ListedIcon[] {
  return icons.map(({ sizes, ...icon }) => ({ ...icon, ...(sizes !== undefined && { sizes: [...sizes] }) }));
}

/** A Standard Schema whose JSON Schema is made once, not for each list, and which accepts every value. */
function prepareSchema(schema: z.ZodObject, io: 'input' | 'output') {
  const jsonSchema = z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  const describe = (): Record<string, unknown> => ({ ...jsonSchema });
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'zod',
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: describe, output: describe },
    },
  };
}
