/** A definition's services for a test of its tools: opened as a server opens them, with variables of the test's own. */
import { parseConfig } from '../../src/config/config.ts';
import { ownVariablesOf, type ServerDefinition } from '../../src/server/server-definition.ts';
import { type OpenServices, openServices } from '../../src/server/services.ts';
import { createMemoryLog } from './memory-log.ts';

/** Opens them; `use` is for `createToolContext`, and `close` belongs at the test's end. */
export async function openServicesOf(
  definition: ServerDefinition,
  env: Readonly<Record<string, string>>,
): Promise<OpenServices> {
  const { own } = parseConfig(env, ownVariablesOf(definition));
  return openServices({ services: definition.services ?? [], values: own, log: createMemoryLog().log });
}
