/** The features of the example. */
import type { Feature } from '../../../src/mcp/feature.ts';
import { dailyReview } from './daily-review.ts';
import { lesson } from './lesson.ts';
import { progressView } from './progress-view.ts';

/** Everything that the example offers besides tools. Nothing is registered on the SDK's server itself, so plain calls stay in the fast lane. */
export const features: readonly Feature[] = [
  { name: 'progress', prompts: [dailyReview], resources: [lesson, progressView] },
];
