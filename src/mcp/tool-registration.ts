/** The SDK's view of a tool, prepared once. */
import type { Icon as ListedIcon } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Icon } from './content.ts';
import type { Tool, ToolAnnotations } from './tool.ts';
import { requireHeaderNames } from './tool-headers.ts';

/** A tool with the configuration that the SDK's `registerTool` takes. */
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

/** A schema that the SDK describes to clients but does not check by: `callTool` checks, once. */
type PreparedSchema = ReturnType<typeof prepareSchema>;

/**
 * Prepares a tool for the SDK.
 * @throws {Error} when its input or output cannot be described in JSON Schema, or its input names headers as the specification forbids
 */
export function registrationOf(tool: Tool): ToolRegistration {
  const { name, title, description, annotations, icons, _meta, input, output } = tool;
  const inputSchema = prepareSchema(name, input, 'input');
  requireHeaderNames(name, inputSchema['~standard'].jsonSchema.input());
  return {
    tool,
    config: {
      title,
      description,
      inputSchema,
      ...(output !== undefined && { outputSchema: prepareSchema(name, output, 'output') }),
      ...(annotations !== undefined && { annotations }),
      ...(icons !== undefined && { icons: toListedIcons(icons) }),
      ...(_meta !== undefined && { _meta: { ..._meta } }),
    },
  };
}

/** Converts icons to the SDK's types. */
export function toListedIcons(icons: readonly Icon[]): ListedIcon[] {
  return icons.map(({ sizes, ...icon }) => ({ ...icon, ...(sizes !== undefined && { sizes: [...sizes] }) }));
}

/** Makes a Standard Schema that accepts every value, and whose JSON Schema is made once and not for each list. */
function prepareSchema(tool: string, schema: z.ZodObject, io: 'input' | 'output') {
  const jsonSchema = toJsonSchema(tool, schema, io);
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

/**
 * Describes a schema to clients.
 * @throws {Error} that says what to use instead of what JSON Schema cannot describe
 */
function toJsonSchema(tool: string, schema: z.ZodObject, io: 'input' | 'output') {
  try {
    return z.toJSONSchema(schema, { io, target: 'draft-2020-12' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${tool}: its ${io} cannot be described to clients: ${reason}. Use what JSON has, such as z.iso.date() for a date, and add .pipe() with the schema of the result to an output with .transform().`,
      { cause: error },
    );
  }
}
