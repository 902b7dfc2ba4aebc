/** Notifies the clients of a user whose rights have changed which of their lists have changed. */
import type { TokenVerifier } from '../auth/verifier.ts';
import { listsThatDiffer, type McpDefinition } from '../mcp/server.ts';

/** Notifies the users concerned whenever the verifier says that rights have changed. */
export function tellOfRightsChanges(verifier: TokenVerifier | undefined, definition: McpDefinition): void {
  verifier?.onRightsChange?.((changes) => {
    for (const list of ['tools', 'prompts', 'resources'] as const) {
      const affected = changes.filter(({ before, after }) =>
        listsThatDiffer(definition, before, after).includes(list),
      );
      const userIds = new Set(affected.map(({ after }) => after.userId));
      if (userIds.size > 0) definition.changes.listChangedFor(list, userIds);
    }
  });
}
