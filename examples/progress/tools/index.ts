/** The tools of the example. */
import type { Tool } from '../../../src/mcp/tool.ts';
import { myProgress } from './my-progress.ts';
import { nextExercise } from './next-exercise.ts';
import { recordAttempt } from './record-attempt.ts';

/** Every tool, in the order in which clients list them. */
export const tools: readonly Tool[] = [nextExercise, recordAttempt, myProgress];
