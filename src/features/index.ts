/** What this server offers besides tools: prompts, resources, completions … Add yours here; `mcp/feature.ts` says how. */
import type { Feature } from '../mcp/feature.ts';

/** Every feature of this server. */
export const features: readonly Feature[] = [];
