/** Notes as a prompt and a resource: what the user has noted, with completion of names. */
import { ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Feature } from '../mcp/feature.ts';
import { notes } from '../services/notes.ts';

const PRESENT = ['breakfast', 'bridges', 'shopping'];

/** A prompt, and a resource template with a variable that is completed. */
export const notesFeature: Feature = {
  name: 'notes',
  options: { capabilities: { completions: {} } },
  register(server, { callerOf, use }) {
    server.registerPrompt(
      'sum_up',
      { description: 'Has a note summed up.', argsSchema: z.object({ note: z.string() }) },
      ({ note }, context) => {
        const text = use(notes).read(callerOf(context).user.userId, note) ?? 'nothing';
        return { messages: [{ role: 'user', content: { type: 'text', text: `Sum up: ${text}` } }] };
      },
    );
    server.registerResource(
      'note',
      new ResourceTemplate('note://{name}', {
        list: undefined,
        complete: { name: (typed) => PRESENT.filter((name) => name.startsWith(typed)) },
      }),
      { description: 'A note of the user.' },
      ({ href }, { name }, context) => ({
        contents: [{ uri: href, text: use(notes).read(callerOf(context).user.userId, String(name)) ?? '' }],
      }),
    );
  },
};
