/** The features that the official conformance suite expects of a server besides simple tools. */
import type { Feature } from '../../../src/mcp/feature.ts';
import { clientInputFeature } from './client-input.ts';
import { contentFeature } from './content.ts';
import { createInputRequiredFeature } from './input-required.ts';
import { createListChangesFeature } from './list-changes.ts';
import { promptsFeature } from './prompts.ts';
import { createResourcesFeature } from './resources.ts';

/** The features of one fixture server. Their shared state belongs to this list alone. */
export function createConformanceFeatures(): readonly Feature[] {
  return [
    contentFeature,
    promptsFeature,
    createResourcesFeature(),
    clientInputFeature,
    createInputRequiredFeature(),
    createListChangesFeature(),
  ];
}
