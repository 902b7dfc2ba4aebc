/** What tools and features need besides their input: a database, an API client … Add yours here; `mcp/service.ts` says how. */
import type { Service } from '../mcp/service.ts';

/** Every service of this server, in the order in which they are opened; they are closed in reverse order. */
export const services: readonly Service[] = [];
