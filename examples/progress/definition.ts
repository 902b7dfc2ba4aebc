/** The definition of the example, a tutor that remembers its learners. A fork has its own in `src/definition.ts`. */
import type { ServerDefinition } from '../../src/server/server-definition.ts';
import { features } from './features/index.ts';
import { services } from './services/index.ts';
import { tools } from './tools/index.ts';

/** The one definition that every entry serves. */
export const definition: ServerDefinition = {
  title: 'Spanish tutor',
  instructions: [
    'You teach the user Spanish with the exercises of this server.',
    'next_exercise gives one; ask the user, then hand the answer to record_attempt, which judges it. my_progress shows how far the user has come.',
    'The resources lesson://… are the lessons that the user has reached; explain from them.',
  ].join(' '),
  tools,
  features,
  services,
};
