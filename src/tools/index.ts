/** The tools this server offers, in the order clients list them. Add yours here. */
import { echoMessage } from './echo-message.ts';
import { getGreeting } from './get-greeting.ts';
import type { Tool } from '../mcp/tool.ts';
import { whoami } from './whoami.ts';

/** Every tool of this server. */
export const tools: readonly Tool[] = [getGreeting, echoMessage, whoami];
