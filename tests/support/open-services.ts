/** Opens a definition's services for a test of its tools, as a server does, with the test's own variables. */
import { parseConfig } from '../../src/config/config.ts';
import { ownVariablesOf, type ServerDefinition } from '../../src/server/server-definition.ts';
import { type OpenServices, openServices } from '../../src/server/services.ts';
import { createMemoryLog } from './memory-log.ts';

/** Opens the services. Pass `use` to `createToolContext`, and call `close` at the end of the test. */
export async function openServicesOf(
  definition: ServerDefinition,
  env: Readonly<Record<string, string>>,
): Promise<OpenServices> {
  const { own } = parseConfig(env, ownVariablesOf(definition));
  return openServices({ services: definition.services ?? [], values: own, log: createMemoryLog().log });
}
