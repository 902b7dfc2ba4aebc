/** What a fork declares: the server's tools, features and services, and what it says about itself. */
import { mayDeclare } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Variable, Variables } from '../config/variable.ts';
import type { Feature } from '../mcp/feature.ts';
import type { Service } from '../mcp/service.ts';
import type { Tool } from '../mcp/tool.ts';
import type { PackageFacts } from '../package.ts';

/** The definition of a server: what makes it different from others. */
export interface ServerDefinition {
  /** The name that people read; clients that show no title use the package's name. */
  readonly title?: string;
  /** For the model: what this server is for and how its tools belong together. Clients may add it to what the model reads. */
  readonly instructions?: string;
  readonly tools: readonly Tool[];
  readonly features?: readonly Feature[];
  readonly services?: readonly Service[];
}

/**
 * The variables of a definition's services.
 * @throws {ConfigError} when a name has two declarations: one would replace the other, and a service get a value that it does not expect
 */
export function ownVariablesOf({ services = [] }: ServerDefinition): Variables {
  const found = new Map<string, { readonly variable: Variable; readonly service: string }>();
  for (const { name: service, variables } of services) {
    for (const [name, variable] of Object.entries(variables)) {
      const first = found.get(name) ?? { variable, service };
      if (first.variable !== variable)
        throw new ConfigError(
          `The services "${first.service}" and "${service}" both declare the variable ${name}. Name one of them otherwise, or write the declaration once and use it in both.`,
        );
      if (!mayDeclare(name, variable))
        throw new ConfigError(
          `The service "${service}" declares the variable ${name}, which the server has. Name it otherwise, or use the declaration of src/config/.`,
        );
      found.set(name, first);
    }
  }
  return Object.fromEntries([...found].map(([name, { variable }]) => [name, variable]));
}

/** The server info for clients: the name and version of its package, and its title if it has one. */
export function infoOf({ name, version }: PackageFacts, title: string | undefined) {
  return { name, version, ...(title !== undefined && { title }) };
}
