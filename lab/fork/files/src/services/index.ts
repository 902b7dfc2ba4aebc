/** The services of this fork. */
import type { Service } from '../mcp/service.ts';
import { notes } from './notes.ts';

/** Every service of this server. */
export const services: readonly Service[] = [notes];
