/** The service `notes`: what users have noted, as long as the server runs. */
import { wholeNumber } from '../config/value-types.ts';
import { defineService } from '../mcp/service.ts';

/** Keeps notes by user and name. */
export const notes = defineService({
  name: 'notes',
  variables: {
    NOTES_PER_USER: {
      description: 'How many notes a user may keep.',
      example: '3',
      schema: wholeNumber(3, 1, 1000),
    },
  },
  open: ({ NOTES_PER_USER }) => {
    const all = new Map<string, Map<string, string>>();
    const of = (userId: string): Map<string, string> => all.get(userId) ?? new Map<string, string>();
    return {
      namesOf: (userId: string): string[] => [...of(userId).keys()],
      read: (userId: string, name: string): string | undefined => of(userId).get(name),
      /** Keeps a note; false when the user has no room for another. */
      keep(userId: string, name: string, text: string): boolean {
        const own = of(userId);
        if (!own.has(name) && own.size >= NOTES_PER_USER) return false;
        all.set(userId, own.set(name, text));
        return true;
      },
    };
  },
});
