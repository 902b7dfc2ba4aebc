/** What a fork declares: the server's tools, features and services, and what it says about itself. */
import type { Variables } from '../config/variable.ts';
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

/** The variables of a definition's services. */
export function ownVariablesOf({ services = [] }: ServerDefinition): Variables {
  return Object.fromEntries(services.flatMap(({ variables }) => Object.entries(variables)));
}

/** The server info for clients: the name and version of its package, and its title if it has one. */
export function infoOf({ name, version }: PackageFacts, title: string | undefined) {
  return { name, version, ...(title !== undefined && { title }) };
}
