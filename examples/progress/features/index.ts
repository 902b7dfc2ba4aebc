/** The features of the example. */
import type { Feature } from '../../../src/mcp/feature.ts';
import { dailyReview } from './daily-review.ts';
import { lesson } from './lesson.ts';
import { progressView } from './progress-view.ts';

/** All that the example offers besides tools. Nothing of it registers itself on the SDK, so that plain calls go the short way. */
export const features: readonly Feature[] = [
  { name: 'progress', prompts: [dailyReview], resources: [lesson, progressView] },
];
