/** The definition of this server: what it offers, and what it says about itself. Its name and version are in package.json. */
import { features } from './features/index.ts';
import type { ServerDefinition } from './server/server-definition.ts';
import { services } from './services/index.ts';
import { tools } from './tools/index.ts';

/** The one definition that both entries serve. */
export const definition: ServerDefinition = {
  title: 'MCP auth server',
  instructions: 'Every call is made in the name of the user whose token came with it.',
  tools,
  features,
  services,
};
