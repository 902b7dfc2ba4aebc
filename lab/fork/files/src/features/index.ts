/** The features of this fork. */
import type { Feature } from '../mcp/feature.ts';
import { notesFeature } from './notes.ts';

/** Every feature of this server. */
export const features: readonly Feature[] = [notesFeature];
