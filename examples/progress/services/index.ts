/** The services that the tools and features of the example use. */
import type { Service } from '../../../src/mcp/service.ts';
import { database } from './database.ts';
import { hints } from './hints.ts';

/** Every service, in the order in which they are opened. */
export const services: readonly Service[] = [database, hints];
